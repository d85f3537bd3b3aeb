/*
 * A text panel on UDP, in C with nothing but the header: a device that answers later, heard by a thread.
 * "SHOW n {args}" goes to it and "ACK n" comes back, which confirms. Silence is told before the deadline.
 * Configuration: {"device":"display-out-1","panel":"192.168.1.70:9000"}. Compile with -pthread.
 */
#include "tollhouse_driver.h"
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_OPEN = 16, TICK_MS = 20 };

typedef struct order { /* a command that the panel has not answered */
    char cmd_id[TOLLHOUSE_MAX_ID_BYTES + 1];
    uint64_t deadline_ms; /* 0: free */
    unsigned number;
} order;

typedef struct panel {
    const tollhouse_host *host;
    char device[65];
    struct sockaddr_in address;
    int socket;
    pthread_t thread;
    atomic_int ending;
    pthread_mutex_t lock; /* for what follows */
    unsigned last;
    order open[MOST_OPEN];
} panel;

static tollhouse_text text(const char *words) { return (tollhouse_text){words, strlen(words)}; }

/* Reads "key":"word" out of JSON; 0 when it is not there or too long. */
static int word(tollhouse_text json, const char *key, char *into, size_t size) {
    char wanted[32];
    int length = snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
    for (uint64_t at = 0; at + (uint64_t)length < json.length; at++) {
        if (memcmp(json.data + at, wanted, (size_t)length) != 0) continue;
        const char *from = json.data + at + length, *end = memchr(from, '"', (size_t)(json.data + json.length - from));
        if (end == NULL || end == from || (size_t)(end - from) >= size) return 0;
        memcpy(into, from, (size_t)(end - from));
        into[end - from] = '\0';
        return 1;
    }
    return 0;
}

static void finish(panel *self, order *one, int32_t status, const char *json) {
    one->deadline_ms = 0;
    self->host->complete(self->host, text(one->cmd_id), status, text(json));
}

static void *hear(void *given) {
    panel *self = given;
    while (!self->ending) {
        struct pollfd ready = {self->socket, POLLIN, 0};
        char said[64];
        unsigned done = 0;
        poll(&ready, 1, TICK_MS);
        const ssize_t length = recv(self->socket, said, sizeof said - 1, MSG_DONTWAIT);
        said[length > 0 ? length : 0] = '\0';
        sscanf(said, "ACK %u", &done);
        pthread_mutex_lock(&self->lock);
        const uint64_t soon = self->host->now_ms(self->host) + 2 * TICK_MS;
        for (order *one = self->open; one < self->open + MOST_OPEN; one++) {
            if (one->deadline_ms == 0) continue;
            if (one->number == done) finish(self, one, TOLLHOUSE_OK, "{\"state\":\"confirmed\"}");
            else if (one->deadline_ms <= soon) finish(self, one, TOLLHOUSE_TIMEOUT, "{\"reason\":\"it is silent\"}");
        }
        pthread_mutex_unlock(&self->lock);
    }
    return NULL;
}

static int32_t create(const tollhouse_host *host, tollhouse_text config, void **instance) {
    panel *self = calloc(1, sizeof *self);
    char address[64] = "", ip[16] = "";
    unsigned port;
    if (self == NULL) return TOLLHOUSE_INTERNAL;
    self->host = host, self->address.sin_family = AF_INET;
    pthread_mutex_init(&self->lock, NULL);
    if (!word(config, "device", self->device, sizeof self->device) || !word(config, "panel", address, sizeof address) ||
        sscanf(address, "%15[0-9.]:%u", ip, &port) != 2 || port == 0 || port > 65535 ||
        inet_pton(AF_INET, ip, &self->address.sin_addr) != 1) {
        host->log(host, TOLLHOUSE_LOG_ERROR, text("panel is an address such as 192.168.1.70:9000"));
        free(self);
        return TOLLHOUSE_INVALID;
    }
    self->address.sin_port = htons((uint16_t)port);
    *instance = self;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    panel *self = instance;
    self->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(self->socket, (struct sockaddr *)&self->address, sizeof self->address) != 0) return TOLLHOUSE_INTERNAL;
    return pthread_create(&self->thread, NULL, hear, self) == 0 ? TOLLHOUSE_OK : TOLLHOUSE_INTERNAL;
}

static int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name, tollhouse_text args) {
    panel *self = instance;
    char device[65];
    if (!word(args, "device", device, sizeof device) || strcmp(device, self->device) != 0) return TOLLHOUSE_INVALID;
    if (name.length != 7 || memcmp(name.data, "display", 7) != 0) return TOLLHOUSE_UNSUPPORTED;
    if (args.length > 1024) return TOLLHOUSE_INVALID;
    int32_t answer = TOLLHOUSE_BUSY;
    pthread_mutex_lock(&self->lock);
    for (order *one = self->open; one < self->open + MOST_OPEN && answer == TOLLHOUSE_BUSY; one++) {
        if (one->deadline_ms != 0) continue;
        char datagram[1100];
        const int length = snprintf(datagram, sizeof datagram, "SHOW %u %.*s", ++self->last, (int)args.length, args.data);
        memcpy(one->cmd_id, cmd_id.data, cmd_id.length);
        one->cmd_id[cmd_id.length] = '\0';
        one->number = self->last, one->deadline_ms = deadline_ms;
        send(self->socket, datagram, (size_t)length, MSG_DONTWAIT); /* a panel that is away shows in its silence */
        answer = TOLLHOUSE_OK;
    }
    pthread_mutex_unlock(&self->lock);
    return answer;
}

static int32_t stop(void *instance) {
    panel *self = instance;
    self->ending = 1;
    pthread_join(self->thread, NULL);
    for (order *one = self->open; one < self->open + MOST_OPEN; one++)
        if (one->deadline_ms != 0) finish(self, one, TOLLHOUSE_OFFLINE, "");
    close(self->socket);
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) { free(instance); }
static const void *extension(tollhouse_text id) { return (void)id, NULL; }

static const char descriptor[] =
    "{\"id\":\"example.panel\",\"version\":\"1.0.0\",\"kinds\":[\"display\"],\"commands\":[\"display\"],\"events\":[],"
    "\"config\":{\"type\":\"object\",\"required\":[\"device\",\"panel\"],\"properties\":{\"device\":{\"type\":\"string\",\"format\":"
    "\"tollhouse-device\",\"default\":\"display-out-1\"},\"panel\":{\"type\":\"string\",\"default\":\"127.0.0.1:9000\"}}}}";

const tollhouse_driver tollhouse_driver_v1 = {
    sizeof(tollhouse_driver), TOLLHOUSE_ABI_MAJOR, TOLLHOUSE_ABI_MINOR, 0, {descriptor, sizeof descriptor - 1},
    create, start, command, stop, destroy, extension,
};
