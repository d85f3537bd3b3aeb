/* A driver that misbehaves on command: what a command is called is what it does. */
#define _GNU_SOURCE
#include "tollhouse_driver.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const tollhouse_host *host;
static char big[3 * 1024 * 1024];

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static tollhouse_bytes bytes(uint64_t length) {
    tollhouse_bytes borrowed = {(const uint8_t *)big, length};
    return borrowed;
}

static int is(tollhouse_text name, const char *word) {
    return name.length == strlen(word) && memcmp(name.data, word, name.length) == 0;
}

static int has(tollhouse_text json, const char *word) { return memmem(json.data, json.length, word, strlen(word)) != NULL; }

static void hang(void) {
    for (;;) usleep(1000000);
}

static int32_t create(const tollhouse_host *given, tollhouse_text config, void **instance) {
    host = given;
    if (has(config, "refuse_create")) {
        host->log(host, TOLLHOUSE_LOG_ERROR, text("no port is configured"));
        return TOLLHOUSE_INVALID;
    }
    if (has(config, "hang_in_create")) hang();
    *instance = big;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    (void)instance;
    return TOLLHOUSE_OK;
}

static void garbage(void) {
    memset(big, 0xff, 4096);
    for (int fd = 3; fd < 20; fd++) {
        ssize_t written = write(fd, big, 4096);
        (void)written;
    }
    hang();
}

/* Everything that emit has to refuse; TOLLHOUSE_OK when it did. */
static int32_t emit_nonsense(void) {
    const char *const wrong[] = {"", "{", "[]", "{\"device\":\"gate-in-2\"}", "\xff\xfe", "{\"device\":1,\"topic\":2,\"body\":3}"};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (host->emit(host, text(wrong[i]), bytes(0)) != TOLLHOUSE_INVALID) return TOLLHOUSE_INTERNAL;
    const char *fine = "{\"device\":\"gate-in-2\",\"topic\":\"state/loop\",\"body\":{\"occupied\":true}}";
    if (host->emit(host, text(fine), bytes(sizeof big)) != TOLLHOUSE_INVALID) return TOLLHOUSE_INTERNAL;
    tollhouse_text long_text = {big, 64 * 1024};
    memset(big, ' ', sizeof big);
    if (host->emit(host, long_text, bytes(0)) != TOLLHOUSE_INVALID) return TOLLHOUSE_INTERNAL;
    return TOLLHOUSE_OK;
}

__attribute__((unused)) /* in the build without it */
static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name,
                       tollhouse_text args) {
    (void)instance, (void)deadline_ms, (void)args;
    const tollhouse_text confirmed = text("{\"state\":\"confirmed\"}");
    if (is(name, "x-hang")) hang();
    if (is(name, "x-crash")) abort();
    if (is(name, "x-segfault")) *(volatile int *)16 = 1;
    if (is(name, "x-exit")) exit(0);
    if (is(name, "x-garbage")) garbage();
    if (is(name, "x-flood")) {
        host->complete(host, cmd_id, TOLLHOUSE_OK, confirmed);
        for (int i = 0; i < 1500; i++)
            host->emit(host, text("{\"device\":\"gate-in-2\",\"topic\":\"state/loop\",\"body\":{\"occupied\":true}}"), bytes(0));
        return TOLLHOUSE_OK;
    }
    if (is(name, "x-silent")) return TOLLHOUSE_OK;
    if (is(name, "x-busy")) return TOLLHOUSE_BUSY;
    if (is(name, "x-nonsense")) return host->complete(host, cmd_id, emit_nonsense(), confirmed);
    if (is(name, "x-orphan")) {
        if (fork() == 0) {
            signal(SIGTERM, SIG_IGN);
            hang();
        }
        abort();
    }
    if (is(name, "x-lie")) {
        host->complete(host, text("nobody"), TOLLHOUSE_OK, confirmed);
        host->emit(host, text("{\"device\":\"gate-in-9\",\"topic\":\"state/loop\",\"body\":{}}"), bytes(0));
        host->emit(host, text("{\"device\":\"gate-in-2\",\"topic\":\"ack/nobody\",\"body\":{\"state\":\"confirmed\"}}"), bytes(0));
        host->complete(host, cmd_id, TOLLHOUSE_OK, confirmed);
    }
    return host->complete(host, cmd_id, TOLLHOUSE_OK, confirmed);
}

static int32_t stop(void *instance) {
    (void)instance;
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) { (void)instance; }

static const void *extension(tollhouse_text id) {
    (void)id;
    return NULL;
}

static const char descriptor[] = "{\"id\":\"test.hostile\",\"version\":\"0\"}";

const tollhouse_driver tollhouse_driver_v1 = {
#ifdef SHORT_TABLE
    .struct_size = 40,
#else
    .struct_size = sizeof(tollhouse_driver),
#endif
#ifdef OTHER_MAJOR
    .abi_major = 2,
#else
    .abi_major = TOLLHOUSE_ABI_MAJOR,
#endif
    .descriptor_json = {descriptor, sizeof descriptor - 1},
    .create = create,
    .start = start,
#ifndef NULL_COMMAND
    .command = command,
#endif
    .stop = stop,
    .destroy = destroy,
    .extension = extension,
};
