/* Writes log lines, and to its standard error, as fast as it can, for ever. */
#define ON_START in_a_thread(flood)
static void *flood(void *unused);
#include "hostile.h"
static void *flood(void *unused) {
    (void)unused;
    for (;;) {
        host->log(host, TOLLHOUSE_LOG_ERROR, text("the arm is stuck \x1b[2J"));
        fputs("the arm is stuck\n", stderr);
    }
    return NULL;
}
