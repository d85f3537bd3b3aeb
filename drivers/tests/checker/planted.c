/*
 * A barrier and its camera that keep every rule, and with -DBUG_... break one of them: what the checker must find.
 * One worker thread does the work, as in a real driver.
 */
#define _GNU_SOURCE
#include "tollhouse_driver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_WAITING 64

typedef struct job {
    char cmd_id[65], device[65], name[33];
    uint64_t deadline_ms;
} job;

typedef struct driver {
    const tollhouse_host *host;
    char gate[65], camera[65];
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    job waiting[MOST_WAITING];
    int first, count, stopping, started, work_ms;
} driver;

static tollhouse_text text(const char *words) {
    tollhouse_text borrowed = {words, strlen(words)};
    return borrowed;
}

static void sleep_ms(int ms) {
    const struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&time, NULL);
}

static int is(tollhouse_text name, const char *word) {
    return name.length == strlen(word) && memcmp(name.data, word, name.length) == 0;
}

/* Finds "key":"..." in the JSON; enough here. */
static int find(tollhouse_text json, const char *key, char *value, size_t room) {
    char sought[32];
    const size_t length = (size_t)snprintf(sought, sizeof sought, "\"%s\":\"", key);
    for (uint64_t at = 0; at + length < json.length; at++) {
        if (memcmp(json.data + at, sought, length) != 0) continue;
        const char *from = json.data + at + length;
        const char *to = memchr(from, '"', json.length - at - length);
#ifdef BUG_CONFIG_STRANGE
        if (to != NULL && strcmp(key, "label") == 0 && to - from >= 65) abort();
#endif
        if (to == NULL || to == from || (size_t)(to - from) >= room) return 0;
        memcpy(value, from, (size_t)(to - from));
        value[to - from] = '\0';
        return 1;
    }
    return 0;
}

static void emit_raw(const driver *self, const char *event, const void *picture, uint64_t bytes) {
    const tollhouse_bytes given = {picture, bytes};
    self->host->emit(self->host, text(event), given);
}

static void emit(const driver *self, const char *device, const char *topic, const char *body) {
    char event[512];
    snprintf(event, sizeof event, "{\"device\":\"%s\",\"topic\":\"%s\",\"body\":%s}", device, topic, body);
    emit_raw(self, event, NULL, 0);
}

static void complete(const driver *self, const char *cmd_id, int32_t status) {
    self->host->complete(self->host, text(cmd_id), status, text(status == TOLLHOUSE_OK ? "{\"state\":\"confirmed\"}" : ""));
}

__attribute__((unused)) static void *forever(void *arg) {
    while (arg == NULL) sleep_ms(1000);
    return NULL;
}

/* What an open does besides opening, when something is wrong with it. */
static void misbehave(driver *self, const job *work) {
    (void)self, (void)work;
#ifdef BUG_EVENT_TEXT
    emit_raw(self, "{\"device\":\"gate-in-1\",\"topic\":\"event/alarm\",\"body\":{\"text\":\"\xd4\xc1\"}}", NULL, 0);
#endif
#ifdef BUG_EVENT_JSON
    emit_raw(self, "{\"device\":\"gate-in-1\",\"topic\":\"event/alarm\",\"body\":{\"text\":\"a \"quote\"\"}}", NULL, 0);
#endif
#ifdef BUG_EVENT_FORM
    emit(self, self->camera, "event/plate", "{\"plate\":\"A12345\",\"confidence\":97}");
#endif
#ifdef BUG_EVENT_STRANGER
    emit(self, "gate-in-77", "state/barrier", "{\"position\":\"up\"}");
#endif
#ifdef BUG_EVENT_DECLARED
    emit(self, self->gate, "event/button", "{}");
#endif
#ifdef BUG_EVENT_PICTURE
    static char large[3 * 1024 * 1024] = "\xff\xd8\xff";
    char event[300];
    snprintf(event, sizeof event, "{\"device\":\"%s\",\"topic\":\"event/plate\",\"body\":{\"plate\":\"A12345\"}}", self->camera);
    emit_raw(self, event, large, sizeof large);
#endif
#ifdef BUG_EVENT_PICTURE_BASE64
    char event[300];
    snprintf(event, sizeof event, "{\"device\":\"%s\",\"topic\":\"event/plate\",\"body\":{\"plate\":\"A12345\"}}", self->camera);
    emit_raw(self, event, "/9j/4AAQSkZJRg==", 16);
#endif
#ifdef BUG_EVENT_REPLY
    char event[300];
    for (int i = 0; i < 2; i++) {
        snprintf(event, sizeof event,
                 "{\"device\":\"%s\",\"topic\":\"event/plate\",\"body\":{\"plate\":\"A12345\"},\"reply_token\":\"r\",\"reply_by_ms\":%llu}",
                 self->camera, (unsigned long long)self->host->now_ms(self->host) + 3000);
        emit_raw(self, event, NULL, 0);
    }
#endif
#ifdef BUG_LOG
    self->host->log(self->host, TOLLHOUSE_LOG_INFO, text("\xd4\xc1 was read"));
#endif
#ifdef BUG_OUTPUT
    printf("barrier opened\n");
    fflush(stdout);
#endif
#ifdef BUG_CHILDREN
    if (system("true") == 99) abort();
#endif
#ifdef BUG_LEAK_MEMORY
    char *lost = malloc(48);
    if (lost != NULL) lost[0] = *(volatile char *)work->cmd_id;
    *(char *volatile *)&lost = NULL;
#endif
#ifdef BUG_LEAK_DESCRIPTORS
    if (dup(0) < 0) return;
#endif
#ifdef BUG_LEAK_THREADS
    pthread_t thread;
    if (pthread_create(&thread, NULL, forever, NULL) == 0) pthread_detach(thread);
#endif
}

static void work_on(driver *self, const job *work) {
#ifdef BUG_SLOW_HOST
    const uint64_t began = self->host->now_ms(self->host);
#endif
    sleep_ms(self->work_ms);
    if (self->host->now_ms(self->host) >= work->deadline_ms) {
        complete(self, work->cmd_id, TOLLHOUSE_TIMEOUT);
        return;
    }
    emit(self, self->gate, "state/barrier", strcmp(work->name, "open") == 0 ? "{\"position\":\"up\"}" : "{\"position\":\"down\"}");
    misbehave(self, work);
#ifdef BUG_SLOW_HOST
    /* A time limit of its own, after which it completes as TIMEOUT, and once more when it is through all the same. */
    if (self->host->now_ms(self->host) - began > 30) complete(self, work->cmd_id, TOLLHOUSE_TIMEOUT);
#endif
#ifdef BUG_COMMAND_DEADLINE
    const uint64_t now_ms = self->host->now_ms(self->host);
    if (work->deadline_ms - now_ms < 3000) sleep_ms((int)(work->deadline_ms - now_ms) + 45);
#endif
    complete(self, work->cmd_id, TOLLHOUSE_OK);
#ifdef BUG_COMMAND_ONCE
    complete(self, work->cmd_id, TOLLHOUSE_OK);
#endif
}

static void *worker(void *arg) {
    driver *self = arg;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping || self->count > 0) {
        if (self->count == 0) {
#ifdef BUG_IDLE
            pthread_mutex_unlock(&self->lock);
            pthread_mutex_lock(&self->lock);
#else
#ifdef BUG_EVENT_RATE
            pthread_mutex_unlock(&self->lock);
            for (int i = 0; i < 40; i++) emit(self, self->gate, "state/barrier", "{\"position\":\"down\"}");
            sleep_ms(20);
            pthread_mutex_lock(&self->lock);
#else
            pthread_cond_wait(&self->wake, &self->lock);
#endif
#endif
            continue;
        }
        const job work = self->waiting[self->first];
        self->first = (self->first + 1) % MOST_WAITING;
        self->count--;
        const int stopping = self->stopping;
        pthread_mutex_unlock(&self->lock);
        if (stopping) {
#ifndef BUG_STOP_LOAD
            complete(self, work.cmd_id, TOLLHOUSE_OFFLINE);
#endif
        } else {
            work_on(self, &work);
        }
        pthread_mutex_lock(&self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static int32_t create(const tollhouse_host *host, tollhouse_text config, void **instance) {
    driver *self = calloc(1, sizeof *self);
    if (self == NULL) return TOLLHOUSE_INTERNAL;
    self->host = host;
    self->work_ms = 2;
    char label[65];
    find(config, "label", label, sizeof label);
#ifdef BUG_CONFIG
    host->log(host, TOLLHOUSE_LOG_ERROR, text("I want a serial number"));
    free(self);
    return TOLLHOUSE_INVALID;
#endif
    if (!find(config, "gate", self->gate, sizeof self->gate) || !find(config, "camera", self->camera, sizeof self->camera)) {
#ifndef BUG_CONFIG_WORDLESS
        host->log(host, TOLLHOUSE_LOG_ERROR, text("gate and camera must be named, in at most 64 characters"));
#endif
        free(self);
        return TOLLHOUSE_INVALID;
    }
#ifdef BUG_CREATE_QUIET
    const int made = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(made, (struct sockaddr *)&to, sizeof to) == 0) abort();
    close(made);
#endif
#ifdef BUG_PROCESS
    signal(SIGPIPE, SIG_DFL);
    signal(SIGUSR1, SIG_IGN);
#endif
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->wake, NULL);
    *instance = self;
    return TOLLHOUSE_OK;
}

static int32_t start(void *instance) {
    driver *self = instance;
#ifdef BUG_LIFE
    self->host->log(self->host, TOLLHOUSE_LOG_ERROR, text("the device does not answer"));
    return TOLLHOUSE_OFFLINE;
#endif
#ifdef BUG_IN_THE_BOX
    /* Wants somebody to hear its standard output, which in the box is nobody. */
    if (isatty(1) == 0 && lseek(1, 0, SEEK_CUR) == 0) {
        self->host->log(self->host, TOLLHOUSE_LOG_ERROR, text("nobody reads my output"));
        return TOLLHOUSE_INTERNAL;
    }
#endif
    if (pthread_create(&self->worker, NULL, worker, self) != 0) return TOLLHOUSE_INTERNAL;
    self->started = (int)self->host->now_ms(self->host);
#ifdef BUG_STOP_THREADS
    pthread_t thread;
    pthread_create(&thread, NULL, forever, NULL);
    pthread_detach(thread);
#endif
#ifdef BUG_STOP_DESCRIPTORS
    if (open("/dev/null", O_RDONLY) < 0) return TOLLHOUSE_INTERNAL;
#endif
    emit(self, self->gate, "state/barrier", "{\"position\":\"down\"}");
    return TOLLHOUSE_OK;
}

#ifndef BUG_TABLE
static
#endif
int32_t command(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name, tollhouse_text args) {
    driver *self = instance;
    (void)args; /* with one bug it is not looked at */
    job work = {.deadline_ms = deadline_ms};
    if (!is(name, "open") && !is(name, "close")) {
#ifdef BUG_COMMAND_UNKNOWN
        complete(self, "x", 0);
        memcpy(work.cmd_id, cmd_id.data, cmd_id.length);
        complete(self, work.cmd_id, TOLLHOUSE_OK);
        return TOLLHOUSE_OK;
#else
        return TOLLHOUSE_UNSUPPORTED;
#endif
    }
#ifdef BUG_COMMAND_DECLARED
    if (is(name, "close")) return TOLLHOUSE_UNSUPPORTED;
#endif
#ifdef BUG_COMMAND_NONSENSE
    if (memmem(args.data, args.length, "\\u0000", 6) != NULL) abort();
#endif
#ifdef BUG_COMMAND_DEVICE
    strcpy(work.device, self->gate);
#else
    if (!find(args, "device", work.device, sizeof work.device)) return TOLLHOUSE_INVALID;
#endif
    if (strcmp(work.device, self->gate) != 0) return TOLLHOUSE_INVALID;
    if (cmd_id.length > 64) return TOLLHOUSE_INVALID;
#ifdef BUG_COMMAND_QUICK
    sleep_ms(70);
#endif
    memcpy(work.cmd_id, cmd_id.data, cmd_id.length);
    memcpy(work.name, name.data, name.length);
    pthread_mutex_lock(&self->lock);
    const int full = self->count == MOST_WAITING;
#ifdef BUG_COMMAND_BURST
    /* Full, it writes over the oldest, which nobody answers then. */
    if (full) self->first = (self->first + 1) % MOST_WAITING, self->count--;
    const int refused = 0;
#else
    const int refused = full;
#endif
    if (!refused) {
        self->waiting[(self->first + self->count) % MOST_WAITING] = work;
        self->count++;
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
#ifdef BUG_COMMAND_ONCE_REFUSED
    if (!refused) return TOLLHOUSE_BUSY;
#endif
    return refused ? TOLLHOUSE_BUSY : TOLLHOUSE_OK;
}

static int32_t stop(void *instance) {
    driver *self = instance;
#ifdef BUG_STOP_AT_ONCE
    if ((int)self->host->now_ms(self->host) - self->started < 3) abort();
#endif
#ifdef BUG_STOP_SLOW
    sleep_ms(2500);
#endif
    pthread_mutex_lock(&self->lock);
    self->stopping = 1;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->worker, NULL);
    return TOLLHOUSE_OK;
}

static void destroy(void *instance) {
    driver *self = instance;
#ifdef BUG_STOP_SILENCE
    emit(self, self->gate, "availability", "{\"state\":\"offline\",\"boot_id\":\"b\"}");
#endif
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->wake);
    free(self);
}

#ifdef BUG_WHITELIST
static int32_t replace(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text part) {
    (void)deadline_ms, (void)part;
    const driver *self = instance;
    return self->host->complete(self->host, cmd_id, TOLLHOUSE_OK, text(""));
}

static uint64_t capacity(void *instance, tollhouse_text device) {
    (void)instance, (void)device;
    return 500;
}

static const tollhouse_whitelist list = {sizeof(tollhouse_whitelist), 0, replace, capacity};
#endif

static const void *extension(tollhouse_text id) {
    (void)id;
#ifdef BUG_WHITELIST
    if (is(id, TOLLHOUSE_WHITELIST)) return &list;
#endif
    return NULL;
}

#if defined(BUG_LOAD_FILES) || defined(BUG_LOAD_THREADS) || defined(BUG_LOAD_OUTPUT)
__attribute__((constructor)) static void begin(void) {
#ifdef BUG_LOAD_FILES
    const int file = open("/etc/passwd", O_RDONLY);
    if (file >= 0) close(file);
#endif
#ifdef BUG_LOAD_THREADS
    pthread_t thread;
    pthread_create(&thread, NULL, forever, NULL);
#endif
#ifdef BUG_LOAD_OUTPUT
    puts("Acme barrier driver, (c) Acme");
    fflush(stdout);
#endif
}
#endif

#ifdef BUG_DESCRIPTOR
#define ID "Acme Barrier"
#else
#define ID "test.planted"
#endif
#if defined(BUG_OPTIONS) || defined(BUG_WHITELIST)
#define OPTIONS "[\"tollhouse.whitelist/1\"]"
#else
#define OPTIONS "[]"
#endif
static const char descriptor[] =
    "{\"id\":\"" ID "\",\"version\":\"1.0.0\",\"kinds\":[\"barrier\",\"camera\"],\"commands\":[\"open\",\"close\""
#ifdef BUG_EVENT_REPLY
    ",\"reply\""
#endif
    "],\"events\":[\"state/barrier\",\"event/plate\",\"event/alarm\"],\"options\":" OPTIONS ",\"config\":{\"type\":\"object\","
#ifdef BUG_DESCRIPTOR_SCHEMA
    "\"required\":\"gate\","
#else
    "\"required\":[\"gate\",\"camera\"],"
#endif
    "\"properties\":{\"gate\":{\"type\":\"string\",\"format\":\"tollhouse-device\"},"
    "\"camera\":{\"type\":\"string\",\"format\":\"tollhouse-device\"},\"label\":{\"type\":\"string\"},"
#ifdef BUG_CONFIG_WORDLESS
    "\"extra\":{\"type\":\"string\",\"default\":\"x\"}}}}";
#else
    "\"host\":{\"type\":\"string\",\"default\":\"127.0.0.1\"}}}}";
#endif

#ifdef BUG_TABLE_SYMBOL
extern const tollhouse_driver another_name;
const tollhouse_driver another_name = {
#else
const tollhouse_driver tollhouse_driver_v1 = {
#endif
    .struct_size = sizeof(tollhouse_driver),
    .abi_major = TOLLHOUSE_ABI_MAJOR,
    .abi_minor = TOLLHOUSE_ABI_MINOR,
    .descriptor_json = {descriptor, sizeof descriptor - 1},
    .create = create,
    .start = start,
#ifndef BUG_TABLE
    .command = command,
#endif
    .stop = stop,
    .destroy = destroy,
    .extension = extension,
};
