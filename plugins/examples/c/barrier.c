/*
 * A barrier in C with nothing but the header: it opens at once and says so.
 *
 * A real driver would talk to its device where `move_arm` is, in a thread of its own if that takes longer than 50 ms.
 * Configuration: {"device":"gate-in-2"}.
 */
#include "tollhouse_driver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct barrier {
    const tollhouse_host *host;
    char device[65];
} barrier;

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static int is(tollhouse_text name, const char *word) {
    return name.length == strlen(word) && memcmp(name.data, word, name.length) == 0;
}

/* Reads "device":"..." out of JSON; 0 when it is not there or is no id. The host writes JSON without white space. */
static int read_device(tollhouse_text json, char device[65]) {
    static const char key[] = "\"device\":\"";
    const uint64_t key_length = sizeof key - 1;
    for (uint64_t at = 0; at + key_length < json.length; at++) {
        if (memcmp(json.data + at, key, key_length) != 0) continue;
        const char *from = json.data + at + key_length;
        uint64_t length = 0;
        while (at + key_length + length < json.length && (isalnum((unsigned char)from[length]) || strchr("_-", from[length])))
            length++;
        if (length == 0 || length > 64 || at + key_length + length >= json.length || from[length] != '"') return 0;
        memcpy(device, from, (size_t)length);
        device[length] = '\0';
        return 1;
    }
    return 0;
}

static void emit(const barrier *self, const char *topic, const char *body) {
    char event[512];
    const tollhouse_bytes no_picture = {NULL, 0};
    snprintf(event, sizeof event, "{\"device\":\"%s\",\"topic\":\"%s\",\"body\":%s}", self->device, topic, body);
    self->host->emit(self->host, text(event), no_picture);
}

static void move_arm(const barrier *self, const char *position) {
    char body[64];
    snprintf(body, sizeof body, "{\"position\":\"%s\"}", position);
    emit(self, "state/barrier", body);
}

static int32_t create(const tollhouse_host *host, tollhouse_text config, void **instance) {
    barrier *self = calloc(1, sizeof *self);
    if (self == NULL) return TOLLHOUSE_INTERNAL;
    self->host = host;
    if (!read_device(config, self->device)) {
        host->log(host, TOLLHOUSE_LOG_ERROR, text("the configuration names no device, or not by 1 to 64 of [A-Za-z0-9_-]"));
        free(self);
        return TOLLHOUSE_INVALID;
    }
    *instance = self;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    move_arm(instance, "down");
    return TOLLHOUSE_OK;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name,
                       tollhouse_text args) {
    const barrier *self = instance;
    char device[65];
    (void)deadline_ms; /* nothing waits here, and the host hands in nothing that has expired */
    if (!read_device(args, device) || strcmp(device, self->device) != 0) return TOLLHOUSE_INVALID;
    if (is(name, "open")) {
        move_arm(self, "up");
    } else if (is(name, "close")) {
        move_arm(self, "down");
    } else {
        return TOLLHOUSE_UNSUPPORTED;
    }
    return self->host->complete(self->host, cmd_id, TOLLHOUSE_OK, text("{\"state\":\"confirmed\"}"));
}

static int32_t stop(void *instance) {
    (void)instance;
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) { free(instance); }

static const void *extension(tollhouse_text id) {
    (void)id;
    return NULL;
}

static const char descriptor[] =
    "{\"id\":\"example.barrier\",\"version\":\"1.0.0\",\"kinds\":[\"barrier\"],\"commands\":[\"open\",\"close\"],"
    "\"events\":[\"state/barrier\"],\"config\":{\"type\":\"object\",\"required\":[\"device\"],\"properties\":{\"device\":"
    "{\"type\":\"string\",\"title\":\"Barrier\",\"format\":\"tollhouse-device\",\"default\":\"gate-in-1\"}}}}";

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
