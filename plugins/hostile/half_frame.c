/* Promises a frame of 64 KiB on every descriptor, and never ends it. */
#define ON_OPEN promise()
static void promise(void);
#include "hostile.h"
static void promise(void) {
    const unsigned char prefix[] = {0, 0, 1, 0, 0, 0, 0, 0, '{'};
    for (int number = 3; number < 20; number++)
        if (write(number, prefix, sizeof prefix) < 0) continue;
    for (;;) pause();
}
