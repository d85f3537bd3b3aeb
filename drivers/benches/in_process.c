/*
 * The same driver without any wall: loaded into this process with dlopen, called from it. Prints for each command the
 * nanoseconds until its event and until its completion reached the host's functions.
 *
 * Usage: in_process LIBRARY COUNT EVERY_US
 */
#define _GNU_SOURCE
#include "tollhouse_driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned long long began, to_event, to_answer;

static unsigned long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec;
}

static void say(const tollhouse_host *host, int32_t level, tollhouse_text message) { (void)host, (void)level, (void)message; }

static int32_t emit(const tollhouse_host *host, tollhouse_text event, tollhouse_bytes picture) {
    (void)host, (void)event, (void)picture;
    to_event = now_ns() - began;
    return TOLLHOUSE_OK;
}

static int32_t complete(const tollhouse_host *host, tollhouse_text cmd_id, int32_t status, tollhouse_text json) {
    (void)host, (void)cmd_id, (void)status, (void)json;
    to_answer = now_ns() - began;
    return TOLLHOUSE_OK;
}

static uint64_t now_ms(const tollhouse_host *host) {
    (void)host;
    return now_ns() / 1000000;
}

static const void *extension(const tollhouse_host *host, tollhouse_text id) {
    (void)host, (void)id;
    return NULL;
}

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    const long count = atol(argv[2]), every_us = atol(argv[3]);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    const tollhouse_driver *driver = library == NULL ? NULL : dlsym(library, "tollhouse_driver_v1");
    if (driver == NULL) return 1;
    const tollhouse_host host = {
        .struct_size = sizeof host,
        .abi_major = TOLLHOUSE_ABI_MAJOR,
        .abi_minor = TOLLHOUSE_ABI_MINOR,
        .log = say,
        .emit = emit,
        .complete = complete,
        .now_ms = now_ms,
        .extension = extension,
    };
    void *instance = NULL;
    if (driver->create(&host, text("{}"), &instance) != TOLLHOUSE_OK || driver->start(instance) != TOLLHOUSE_OK) return 1;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long number = 0; number < count; number++) {
        if (every_us > 0) {
            next.tv_nsec += every_us * 1000;
            while (next.tv_nsec >= 1000000000) next.tv_nsec -= 1000000000, next.tv_sec++;
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        }
        began = now_ns();
        driver->command(instance, text("0123456789abcdef"), now_ns() / 1000000 + 10000, text("open"),
                        text("{\"device\":\"gate-in-2\",\"args\":{}}"));
        printf("%llu %llu\n", to_event, to_answer);
    }
    driver->stop(instance);
    driver->destroy(instance);
    return 0;
}
