/*
 * What all hostile drivers share: a barrier that opens and says so, with places for a misbehaviour. A driver defines what
 * it does wrong (ON_LOAD, ON_CREATE, ON_START, ON_OPEN, ON_STOP, ON_DESTROY, or a part of the table) and includes this.
 * Everything that it does not define is done right.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tollhouse_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const tollhouse_host *host;
static int whole = 1;

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static tollhouse_bytes picture(const void *data, uint64_t length) {
    tollhouse_bytes borrowed = {(const uint8_t *)data, length};
    return borrowed;
}

/* Spins without ever giving the processor back. */
__attribute__((unused)) static void spin(void) {
    for (;;) __asm__ volatile("" ::: "memory");
}

__attribute__((unused)) static void *emit_for_ever(void *unused) {
    (void)unused;
    const char *event = "{\"device\":\"gate-bad\",\"topic\":\"state/loop\",\"body\":{\"occupied\":true}}";
    for (;;) host->emit(host, text(event), picture(NULL, 0));
    return NULL;
}

__attribute__((unused)) static void in_a_thread(void *(*body)(void *)) {
    pthread_t thread;
    pthread_create(&thread, NULL, body, NULL);
}

/* What the box must have refused: anything else is reported as an opened barrier, which the test takes for a failure. */
__attribute__((unused)) static int32_t refused_as_it_should(int it_was, tollhouse_text cmd_id) {
    return host->complete(host, cmd_id, it_was ? TOLLHOUSE_REJECTED : TOLLHOUSE_OK, text("{\"reason\":\"kept in\"}"));
}

#ifdef ON_LOAD
__attribute__((constructor)) static void load(void) { ON_LOAD; }
#endif

static int32_t create(const tollhouse_host *given, tollhouse_text config, void **instance) {
    (void)config;
    host = given;
    *instance = &whole;
#ifdef ON_CREATE
    ON_CREATE;
#endif
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    (void)instance;
#ifdef ON_START
    ON_START;
#endif
    return TOLLHOUSE_OK;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name, tollhouse_text args) {
    (void)instance, (void)deadline_ms, (void)args;
    if (name.length != 4 || memcmp(name.data, "open", 4) != 0) return TOLLHOUSE_UNSUPPORTED;
#ifdef ON_OPEN
    ON_OPEN;
#endif
    return host->complete(host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}"));
}

static int32_t stop(void *instance) {
    (void)instance;
#ifdef ON_STOP
    ON_STOP;
#endif
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) {
    (void)instance;
#ifdef ON_DESTROY
    ON_DESTROY;
#endif
}

static const void *extension(tollhouse_text id) {
    (void)id;
    return NULL;
}

static const char described[] = "{\"id\":\"hostile.barrier\",\"version\":\"1.0.0\",\"kinds\":[\"barrier\"],\"commands\":[\"open\"]}";

#ifndef STRUCT_SIZE
#define STRUCT_SIZE sizeof(tollhouse_driver)
#endif
#ifndef MAJOR
#define MAJOR TOLLHOUSE_ABI_MAJOR
#endif
#ifndef START
#define START start
#endif
#ifndef DESCRIPTOR
#define DESCRIPTOR described
#endif
#ifndef DESCRIPTOR_LENGTH
#define DESCRIPTOR_LENGTH (sizeof described - 1)
#endif

/* In the order of the header, so that C++ takes it as well. */
const tollhouse_driver tollhouse_driver_v1 = {
    STRUCT_SIZE, MAJOR, 0, 0, {DESCRIPTOR, DESCRIPTOR_LENGTH}, create, START, command, stop, destroy, extension,
};

#ifndef START_IS_USED
__attribute__((unused)) static int32_t (*const start_is_used)(void *) = start;
#endif

#endif
