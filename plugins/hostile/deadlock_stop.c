/* Waits in stop for a lock that its own thread never gives back. */
#include <pthread.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int locked;
static void *keep(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    locked = 1;
    for (;;) pause();
    return NULL;
}
#define ON_START in_a_thread(keep); while (!locked) usleep(100)
#define ON_STOP pthread_mutex_lock(&lock)
#include "hostile.h"
