/* Emits pictures of 2 MiB as fast as it can, for ever. */
#define ON_START in_a_thread(flood)
static void *flood(void *unused);
#include "hostile.h"
static void *flood(void *unused) {
    static char jpeg[2 * 1024 * 1024];
    (void)unused;
    for (;;) host->emit(host, text("{\"device\":\"gate-bad\",\"topic\":\"event/plate\",\"body\":{\"plate\":\"粤C12345\"}}"), picture(jpeg, sizeof jpeg));
    return NULL;
}
