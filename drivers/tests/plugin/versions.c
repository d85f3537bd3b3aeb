/* A barrier in two releases: which one it is, and what is wrong with it, is said when it is compiled. */
#include "tollhouse_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef ID
#define ID "acme.barrier"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
/* What it says of itself, where that is something else than what it is signed as. */
#ifndef SAYS
#define SAYS VERSION
#endif

static const tollhouse_host *host;
static char device[65];

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static void say(const char *position) {
    char event[256];
    const tollhouse_bytes no_picture = {NULL, 0};
    snprintf(event, sizeof event, "{\"device\":\"%s\",\"topic\":\"state/barrier\",\"body\":{\"position\":\"%s\"}}", device, position);
    host->emit(host, text(event), no_picture);
}

static int32_t create(const tollhouse_host *given, tollhouse_text config, void **instance) {
    host = given;
    const char *from = strstr(config.data, "\"device\":\"");
    if (from == NULL || sscanf(from, "\"device\":\"%64[A-Za-z0-9_-]", device) != 1) return TOLLHOUSE_INVALID;
#ifdef WANTS_MORE
    host->log(host, TOLLHOUSE_LOG_ERROR, text("this release wants an address"));
    return TOLLHOUSE_INVALID;
#endif
    *instance = device;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    (void)instance;
#ifdef DIES
    abort();
#endif
    say("down");
    return TOLLHOUSE_OK;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name, tollhouse_text args) {
    (void)instance, (void)deadline_ms, (void)args;
    if (name.length == 6 && memcmp(name.data, "x-wait", 6) == 0) {
        say("up");
        return TOLLHOUSE_OK;
    }
    if (name.length == 5 && memcmp(name.data, "x-die", 5) == 0) abort();
    say("up");
    return host->complete(host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}"));
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

static const char descriptor[] =
    "{\"id\":\"" ID "\",\"version\":\"" SAYS "\",\"kinds\":[\"barrier\"],\"commands\":[\"open\"],\"events\":[\"state/barrier\"],"
    "\"config\":{\"type\":\"object\",\"required\":[\"device\"],\"properties\":{\"device\":{\"type\":\"string\","
    "\"format\":\"tollhouse-device\"}}}}";

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
