/* Writes garbage to every descriptor that it finds. */
#define ON_OPEN garbage()
static void garbage(void);
#include "hostile.h"
static void garbage(void) {
    char bytes[4096];
    memset(bytes, 0xff, sizeof bytes);
    for (int number = 3; number < 20; number++)
        if (write(number, bytes, sizeof bytes) < 0) continue;
    for (;;) pause();
}
