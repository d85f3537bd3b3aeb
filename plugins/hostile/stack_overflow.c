/* Calls itself until its stack is full. */
static int deeper(volatile char *above) {
    volatile char here[4096];
    here[0] = *above;
    return here[0] == 0 ? 0 : deeper(here) + here[0];
}
#define ON_OPEN return deeper(&(char){1})
#include "hostile.h"
