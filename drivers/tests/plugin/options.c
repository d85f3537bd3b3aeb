/* A camera whose answer is the command, and which keeps a whitelist: it repeats what it is told in its events. */
#define _GNU_SOURCE
#include "tollhouse_driver.h"

#include <stdio.h>
#include <string.h>

static const tollhouse_host *host;

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static int is(tollhouse_text name, const char *word) {
    return name.length == strlen(word) && memcmp(name.data, word, name.length) == 0;
}

static int has(tollhouse_text json, const char *word) { return memmem(json.data, json.length, word, strlen(word)) != NULL; }

static void emit(const char *event) {
    const tollhouse_bytes none = {NULL, 0};
    host->emit(host, text(event), none);
}

static int32_t create(const tollhouse_host *given, tollhouse_text config, void **instance) {
    (void)config;
    host = given;
    *instance = NULL;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    (void)instance;
    return TOLLHOUSE_OK;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name,
                       tollhouse_text args) {
    (void)instance, (void)deadline_ms;
    const tollhouse_text confirmed = text("{\"state\":\"confirmed\"}");
    if (is(name, "x-read")) {
        char event[300];
        snprintf(event, sizeof event,
                 "{\"device\":\"cam-in-2\",\"topic\":\"event/plate\",\"body\":{\"plate\":\"A12345\"},"
                 "\"reply_token\":\"r-1\",\"reply_by_ms\":%llu,\"reply_for\":\"gate-in-2\"}",
                 (unsigned long long)host->now_ms(host) + 5000);
        emit(event);
        return host->complete(host, cmd_id, TOLLHOUSE_OK, confirmed);
    }
    if (is(name, "reply") && has(args, "\"r-1\"") && has(args, "cam-in-2")) {
        emit("{\"device\":\"cam-in-2\",\"topic\":\"state/barrier\",\"body\":{\"position\":\"up\"}}");
        return host->complete(host, cmd_id, TOLLHOUSE_OK, confirmed);
    }
    if (is(name, "open")) return host->complete(host, cmd_id, TOLLHOUSE_OK, confirmed);
    return TOLLHOUSE_UNSUPPORTED;
}

static int32_t stop(void *instance) {
    (void)instance;
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) { (void)instance; }

static int32_t replace(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text part) {
    (void)instance, (void)deadline_ms;
    if (!has(part, "{\"device\":\"cam-in-2\",\"part\":1,\"parts\":1,\"plates\":[{")) return TOLLHOUSE_INVALID;
    return host->complete(host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}"));
}

static uint64_t capacity(void *instance, tollhouse_text device) {
    (void)instance, (void)device;
    return 500;
}

static const tollhouse_whitelist list = {sizeof(tollhouse_whitelist), 0, replace, capacity};

static const void *extension(tollhouse_text id) { return is(id, TOLLHOUSE_WHITELIST) ? &list : NULL; }

static const char descriptor[] =
    "{\"id\":\"test.options\",\"version\":\"1.0.0\",\"kinds\":[\"camera\"],\"commands\":[\"open\",\"reply\"],"
    "\"events\":[\"event/plate\"],\"options\":[\"tollhouse.whitelist/1\"],\"config\":{\"type\":\"object\","
    "\"required\":[\"serial\"],\"properties\":{\"serial\":{\"type\":\"string\",\"maxLength\":8},"
    "\"password\":{\"type\":\"integer\"}}}}";

const tollhouse_driver tollhouse_driver_v1 = {
    .struct_size = sizeof(tollhouse_driver),
    .abi_major = TOLLHOUSE_ABI_MAJOR,
    .descriptor_json = {descriptor, sizeof descriptor - 1},
    .create = create,
    .start = start,
    .command = command,
    .stop = stop,
    .destroy = destroy,
    .extension = extension,
};
