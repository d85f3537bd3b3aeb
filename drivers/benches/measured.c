/*
 * The driver that the benchmark of isolation runs. It does nothing but say when: a command comes back as a plate whose
 * event_id holds the time at which the command arrived, and as its completion; with "every_us" in the configuration a
 * thread emits plates by itself, whose event_id holds the time of the emit. Times are nanoseconds of the machine's clock.
 */
#define _GNU_SOURCE
#include "tollhouse_driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const tollhouse_host *host;
static long every_us;
static volatile int ending;
static pthread_t speaker;

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static unsigned long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec;
}

static void plate(char kind, unsigned long long at) {
    char event[256];
    const tollhouse_bytes no_picture = {NULL, 0};
    snprintf(event, sizeof event,
             "{\"device\":\"gate-in-2\",\"topic\":\"event/plate\",\"body\":{\"event_id\":\"%c%llu\",\"plate\":\"粤C12345\","
             "\"colour\":\"blue\",\"confidence\":0.97,\"direction\":\"approach\"}}",
             kind, at);
    host->emit(host, text(event), no_picture);
}

static void *speak(void *unused) {
    (void)unused;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    while (!ending) {
        next.tv_nsec += every_us * 1000;
        while (next.tv_nsec >= 1000000000) next.tv_nsec -= 1000000000, next.tv_sec++;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        plate('e', now_ns());
    }
    return NULL;
}

static int32_t create(const tollhouse_host *given, tollhouse_text config, void **instance) {
    host = given;
    const char *every = memmem(config.data, config.length, "\"every_us\":", 11);
    every_us = every == NULL ? 0 : atol(every + 11);
    *instance = &host;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    (void)instance;
    if (every_us == 0) return TOLLHOUSE_OK;
    return pthread_create(&speaker, NULL, speak, NULL) == 0 ? TOLLHOUSE_OK : TOLLHOUSE_INTERNAL;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name, tollhouse_text args) {
    (void)instance, (void)deadline_ms, (void)name, (void)args;
    plate('c', now_ns());
    return host->complete(host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}"));
}

static int32_t stop(void *instance) {
    (void)instance;
    ending = 1;
    if (every_us != 0) pthread_join(speaker, NULL);
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) { (void)instance; }

static const void *extension(tollhouse_text id) {
    (void)id;
    return NULL;
}

static const char descriptor[] =
    "{\"id\":\"tollhouse.measured\",\"version\":\"1.0.0\",\"kinds\":[\"camera\",\"barrier\"],\"commands\":[\"open\"],"
    "\"events\":[\"event/plate\"],\"config\":{\"type\":\"object\"}}";

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
