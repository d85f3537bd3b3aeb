/*
 * A lane of its own: camera, barrier and a row of cars that never ends. The next car drives up as soon as the one before
 * it has passed. Each time that a car waited for its opening is written to the log, so that a test can tell whether what
 * happened at another lane was felt here.
 *
 * Configuration: {"barrier":"gate-in-1","camera":"cam-in-1","letter":"A"}.
 */
#define _GNU_SOURCE
#include "tollhouse_driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef VERSION
#define VERSION "1.0.0"
#endif

enum { BETWEEN_CARS_MS = 60, PATIENCE_MS = 3000 };

static const tollhouse_host *host;
static char barrier[65], camera[65], letter[2];
static pthread_t road;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static int ending, opened;

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static void say(const char *device, const char *topic, const char *body) {
    char event[512];
    const tollhouse_bytes no_picture = {NULL, 0};
    snprintf(event, sizeof event, "{\"device\":\"%s\",\"topic\":\"%s\",\"body\":%s}", device, topic, body);
    host->emit(host, text(event), no_picture);
}

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* With the lock held: waits until it is opened, the driver ends, or the time is over. */
static void wait_for(uint32_t ms, int for_opening) {
    const uint64_t until = now_us() + (uint64_t)ms * 1000;
    const struct timespec at = {(time_t)(until / 1000000), (long)(until % 1000000) * 1000};
    while (!ending && !(for_opening && opened))
        if (pthread_cond_timedwait(&changed, &lock, &at) != 0) return;
}

static void *drive(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (uint32_t car = (uint32_t)(now_us() / 1000); !ending; car++) {
        char body[128], line[64];
        opened = 0;
        pthread_mutex_unlock(&lock);
        snprintf(body, sizeof body, "{\"plate\":\"粤%s%05u\",\"colour\":\"blue\"}", letter, car % 100000);
        const uint64_t arrived = now_us();
        say(camera, "event/plate", body);
        pthread_mutex_lock(&lock);
        wait_for(PATIENCE_MS, 1);
        if (opened) {
            pthread_mutex_unlock(&lock);
            snprintf(line, sizeof line, "waited %llu us", (unsigned long long)(now_us() - arrived));
            host->log(host, TOLLHOUSE_LOG_INFO, text(line));
            say(barrier, "event/passed", "{\"direction\":\"forward\"}");
            pthread_mutex_lock(&lock);
        }
        wait_for(BETWEEN_CARS_MS, 0);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int read_word(tollhouse_text json, const char *key, char *into, size_t size) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
    const char *from = memmem(json.data, json.length, wanted, strlen(wanted));
    if (from == NULL) return 0;
    from += strlen(wanted);
    const size_t length = strcspn(from, "\"");
    if (length == 0 || length >= size) return 0;
    memcpy(into, from, length);
    into[length] = '\0';
    return 1;
}

static int32_t create(const tollhouse_host *given, tollhouse_text config, void **instance) {
    host = given;
    if (!read_word(config, "barrier", barrier, sizeof barrier) || !read_word(config, "camera", camera, sizeof camera) ||
        !read_word(config, "letter", letter, sizeof letter))
        return TOLLHOUSE_INVALID;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &monotonic);
    *instance = barrier;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    (void)instance;
#ifdef DIES
    abort();
#endif
    return pthread_create(&road, NULL, drive, NULL) == 0 ? TOLLHOUSE_OK : TOLLHOUSE_INTERNAL;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name, tollhouse_text args) {
    (void)instance, (void)deadline_ms, (void)args;
    if (name.length != 4 || memcmp(name.data, "open", 4) != 0) return TOLLHOUSE_UNSUPPORTED;
    host->complete(host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}"));
    pthread_mutex_lock(&lock);
    opened = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return TOLLHOUSE_OK;
}

static int32_t stop(void *instance) {
    (void)instance;
    pthread_mutex_lock(&lock);
    ending = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(road, NULL);
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) { (void)instance; }

static const void *extension(tollhouse_text id) {
    (void)id;
    return NULL;
}

static const char descriptor[] =
    "{\"id\":\"acme.cars\",\"version\":\"" VERSION "\",\"kinds\":[\"camera\",\"barrier\"],\"commands\":[\"open\"],"
    "\"events\":[\"event/plate\",\"event/passed\"],\"config\":{\"type\":\"object\",\"required\":[\"barrier\",\"camera\"],"
    "\"properties\":{\"barrier\":{\"type\":\"string\",\"format\":\"tollhouse-device\"},"
    "\"camera\":{\"type\":\"string\",\"format\":\"tollhouse-device\"},\"letter\":{\"type\":\"string\"}}}}";

const tollhouse_driver tollhouse_driver_v1 = {
    .struct_size = sizeof(tollhouse_driver),
    .abi_major = TOLLHOUSE_ABI_MAJOR,
    .abi_minor = TOLLHOUSE_ABI_MINOR,
    .descriptor_json = {descriptor, sizeof descriptor - 1},
    .create = create,
    .start = start,
    .command = command,
    .stop = stop,
    .destroy = destroy,
    .extension = extension,
};
