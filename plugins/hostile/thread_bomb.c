/* Starts threads until it gets no more. */
#include <pthread.h>
#include <unistd.h>
static void *wait_for_ever(void *unused) {
    (void)unused;
    for (;;) pause();
    return NULL;
}
static int bomb(void) {
    pthread_t thread;
    int got = 0;
    while (got < 100000 && pthread_create(&thread, NULL, wait_for_ever, NULL) == 0) got++;
    return got;
}
#define ON_OPEN return refused_as_it_should(bomb() < 2048, cmd_id)
#include "hostile.h"
