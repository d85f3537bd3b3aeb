/*
 * tollhouse_driver.h: the C ABI between Tollhouse and a vendor's driver, major version 1.
 *
 * A driver is one shared library that exports one symbol, the table itself:
 *
 *     const tollhouse_driver tollhouse_driver_v1 = { ... };
 *
 * The box runs each instance of a driver in a child process of its own. What a driver breaks, it breaks for its own
 * devices only; the box ends a driver that hangs and starts it again. docs/drivers/README.md is the guide; `tollhouse
 * driver check FILE` tries a driver against every rule below.
 *
 * The life of an instance, one to a process:
 *
 *     load -> extension* -> create -> start -> (command | extension)* -> stop -> destroy -> the process ends
 *
 * A create that fails ends the process. destroy may follow create at once (somebody only tries a configuration), and
 * follows a start that failed, without stop. The process may be killed at any moment: what must not be lost does not live
 * in the driver.
 *
 * Threads. Every function carries a tag:
 *   [control]  called by the host, always from the same thread (the one that loaded the library), never two at a time.
 *              command, extension and the functions of options return within 50 ms; create and start within 5 s each;
 *              stop and destroy within 2 s together. The host's ping goes through this thread, and a driver that misses
 *              it is killed. Slow work belongs to threads of the driver, which begin in create or start, never while
 *              the library is loaded, and have ended when stop returns.
 *   [any]      called by the driver from any thread, also from inside a [control] call, also by several threads at once.
 *
 * Memory. Texts and bytes are pointer + length, not NUL-terminated, and borrowed for the call: copy what you keep.
 * A length of 0 may come with a null pointer. Nothing allocated on one side is freed on the other. The table and what it
 * leads to, the descriptor's text among it, are static and never change.
 *
 * Errors. Every int32_t result is one of TOLLHOUSE_OK ... TOLLHOUSE_INTERNAL; another number counts as INTERNAL. No C++
 * exception and no unwinding may cross a function of either table.
 *
 * Growth. Minor versions append fields to the tables; struct_size says how far the other side's table reaches, and
 * nobody reads past it. Both sides of major 1 have at least what stands here. Options come through extension(id).
 *
 * Process. Leave alone what is the whole process's: standard output (the host's log is log()), signal handlers, working
 * directory, umask, locale, environment. No child processes: the box refuses them. Load no other driver.
 *
 * Text is UTF-8. JSON has at most 63 KiB, a picture at most 2 MiB. Ids have 1 to 64 characters of [A-Za-z0-9_-]. Unknown
 * fields of JSON are ignored by both sides. The host writes JSON without white space between its tokens.
 */
#ifndef TOLLHOUSE_DRIVER_H
#define TOLLHOUSE_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOLLHOUSE_ABI_MAJOR 1u
#define TOLLHOUSE_ABI_MINOR 0u

#define TOLLHOUSE_MAX_JSON_BYTES (63u * 1024u)
#define TOLLHOUSE_MAX_PICTURE_BYTES (2u * 1024u * 1024u)
#define TOLLHOUSE_MAX_LOG_BYTES (2u * 1024u)
#define TOLLHOUSE_MAX_ID_BYTES 64u

/* What every int32_t result means. */
#define TOLLHOUSE_OK 0          /* done, or taken                                                */
#define TOLLHOUSE_INVALID 1     /* an argument, the configuration or the JSON is wrong           */
#define TOLLHOUSE_UNSUPPORTED 2 /* this driver or device cannot do it                            */
#define TOLLHOUSE_BUSY 3        /* not now: try again                                            */
#define TOLLHOUSE_OFFLINE 4     /* the device does not answer                                    */
#define TOLLHOUSE_TIMEOUT 5     /* the deadline passed                                           */
#define TOLLHOUSE_REJECTED 6    /* the device said no                                            */
#define TOLLHOUSE_INTERNAL 7    /* a fault of the driver itself                                  */

/* Levels of log(). */
#define TOLLHOUSE_LOG_ERROR 1
#define TOLLHOUSE_LOG_WARN 2
#define TOLLHOUSE_LOG_INFO 3
#define TOLLHOUSE_LOG_DEBUG 4

/* UTF-8, borrowed for the call. */
typedef struct tollhouse_text {
    const char *data;
    uint64_t length;
} tollhouse_text;

/* Raw bytes, borrowed for the call. */
typedef struct tollhouse_bytes {
    const uint8_t *data;
    uint64_t length;
} tollhouse_bytes;

/*
 * What the host offers. The table stays valid and unchanged until the process ends, so that a late thread of the driver
 * meets no freed memory. Once stop() has returned its functions may still be called and have no effect, but a driver
 * that does so has left a thread behind. Every function takes the table itself first, and copies what it keeps.
 */
typedef struct tollhouse_host {
    uint32_t struct_size; /* of the host's table: at least this one's                    */
    uint32_t abi_major;   /* TOLLHOUSE_ABI_MAJOR, or create answers TOLLHOUSE_UNSUPPORTED */
    uint32_t abi_minor;
    uint32_t reserved;

    /* The host's own; not for the driver. */
    const void *context;

    /*
     * [any] A line for the box's log, at most TOLLHOUSE_MAX_LOG_BYTES; the rest is cut off. It cannot fail. The last
     * error before a refusal of create or start is what people are shown as the reason.
     */
    void (*log)(const struct tollhouse_host *host, int32_t level, tollhouse_text message);

    /*
     * [any] Something happened at a device:
     *
     *     {"device":"cam-in-2","topic":"event/plate","body":{"plate":"粤C12345","colour":"blue","confidence":0.97}}
     *
     * `topic` and `body` are those of the MQTT contract, without the device: event/plate, event/passed, event/button,
     * event/code, event/alarm, state/barrier, state/loop, availability, ack/{cmd_id}, blob/{event_id}. Where a body
     * lacks event_id, the host makes one; boot_id is always the host's, one per run of the process. at and sent_at, if
     * given, are by the device's own clock; without them the event happened now. A body that is sent again under the
     * same event_id is the same event. What the device kept while nobody listened carries "backlog":true. `picture` is
     * the JPEG that belongs to the event, or empty; blob/{event_id} brings one later, with the body {}.
     *
     * A camera whose answer is the command (it posts a plate and opens by what it is answered): put beside device,
     * topic and body of event/plate
     *
     *     "reply_token":"r-17","reply_by_ms":48210,"reply_for":"gate-in-2"
     *
     * reply_token: an id that no event had before in this process. reply_by_ms: by now_ms, at most 10 s from now.
     * reply_for: whose `open` the answer is; left out, the event's own device. See command() for what follows.
     *
     * OK: taken. INVALID: no UTF-8, not JSON, no device, no topic, no body, or too large; nothing was taken. May block
     * while the box is busy, so that a flood slows its source down; never longer than the box lives.
     */
    int32_t (*emit)(const struct tollhouse_host *host, tollhouse_text event_json, tollhouse_bytes picture);

    /*
     * [any] The outcome of a command, exactly once for each command that command() took, before its deadline. It may be
     * called before command() has returned, by the same or another thread.
     *
     * OK says that the device has taken it: accepted. Accepted is not opened: when a position signal proves it, emit
     * {"device":...,"topic":"ack/CMD_ID","body":{"state":"confirmed"}} later; or, when the outcome is proved already,
     * complete with {"state":"confirmed"} at once. An accepted command that fails after all is told by the same ack with
     * {"state":"failed","reason":"..."}. Every other status says that it was not done; {"reason":"..."} tells people
     * why, in at most 200 characters. `json` may be empty; it has at most 4 KiB.
     *
     * A command that is not completed by its deadline, or is open when the process dies, is `outcome_unknown` for the
     * lane: only a new read or a person opens then. What is completed later, twice or without having been asked is
     * counted against the driver and changes nothing.
     *
     * OK: passed on. INVALID: no UTF-8, or too long.
     */
    int32_t (*complete)(const struct tollhouse_host *host, tollhouse_text cmd_id, int32_t status, tollhouse_text json);

    /* [any] Milliseconds on a clock that never jumps. Only differences mean something; deadlines are on this clock. */
    uint64_t (*now_ms)(const struct tollhouse_host *host);

    /* [any] An option of the host by its id, static, or null. Version 1.0 defines none. */
    const void *(*extension)(const struct tollhouse_host *host, tollhouse_text id);
} tollhouse_host;

/* What a driver offers. No function may be null. */
typedef struct tollhouse_driver {
    uint32_t struct_size; /* sizeof(tollhouse_driver)                */
    uint32_t abi_major;   /* TOLLHOUSE_ABI_MAJOR                     */
    uint32_t abi_minor;   /* TOLLHOUSE_ABI_MINOR it was built against */
    uint32_t reserved;    /* 0                                       */

    /*
     * Who the driver is, static, read without any call:
     *
     *     {"id":"acme.barrier","version":"1.0.0","name":{"en":"Acme barrier","zh-CN":"..."},"vendor":"Acme",
     *      "kinds":["barrier"],"commands":["open","close"],"events":["state/barrier"],"options":[],
     *      "config":{JSON Schema of the configuration, draft 2020-12}}
     *
     * id: two or more lower-case words of [a-z0-9-] joined by dots, at most 64 characters, never changed: the key that
     * signs a driver is pinned to it. version: semantic (1.4.0). kinds: camera, barrier, display, voice, loop, reader,
     * light. commands, events: what command() takes and what is emitted (topics; ack, availability and blob need no
     * mention). options: the ids for which extension() is not null. name, vendor and options may be left out.
     *
     * config: the box checks a configuration against it before create, and the console draws the form from it. A string
     * that names a device of the box has "format":"tollhouse-device"; a secret has "writeOnly":true. Give "default" or
     * "examples": people and `driver check` start from them.
     */
    tollhouse_text descriptor_json;

    /*
     * [control] Makes an instance; called once in a process. `config` is JSON and fits the descriptor's schema. No
     * device is touched yet. `host` is valid until the process ends.
     *
     * OK: *instance is set; it may be null and comes back in every call. Otherwise log() says why in words, *instance is
     * not read, what was begun is undone, and destroy is not called. INVALID: the configuration cannot work.
     * UNSUPPORTED: the host's abi_major is not ours.
     */
    int32_t (*create)(const tollhouse_host *host, tollhouse_text config, void **instance);

    /*
     * [control] Connects to the devices and begins to emit. A device that is away is no failure: say so (availability)
     * and go on trying. Do not wait for it here. Any other status than OK: log() says why, what was begun is undone;
     * destroy follows.
     */
    int32_t (*start)(void *instance);

    /*
     * [control] A command to one device. The host never hands in a cmd_id twice, nor a command past its deadline.
     * `name` is open, close, hold, release, display, speak, snapshot, restart, reply, or the driver's own with the
     * prefix x-. `args` is {"device":"gate-in-2","args":{...}}: one instance serves the devices of one lane, so every
     * command names its device. display: {"lines":["..."]}; speak: {"text":"..."}.
     *
     * reply stands for an `open` while a plate waits for its answer (see emit): args {"device":"cam-in-2","args":
     * {"reply_token":"r-17","open":true}}, at most once for a token and before its reply_by_ms. Answer the camera, and
     * complete as for open. At reply_by_ms an unanswered token is over: answer the camera with no; an open from then on
     * comes as `open`.
     *
     * OK: taken; complete() follows exactly once, perhaps already inside this call. Any other status: not taken, and
     * complete() must not be called for it. UNSUPPORTED: a name that the driver or the device does not know. INVALID: a
     * device that is not configured, or args that do not fit; args come from people and may be anything that is JSON.
     * BUSY: too many at once. After deadline_ms (see now_ms) the command must not be carried out.
     */
    int32_t (*command)(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name,
                       tollhouse_text args);

    /*
     * [control] Ends what start began. When it returns every taken command has been completed, no thread of the driver
     * runs, and its connections are closed. The devices are left safe. Another status than OK is only logged.
     */
    int32_t (*stop)(void *instance);

    /* [control] Frees the instance; nothing is called after it. */
    void (*destroy)(void *instance);

    /*
     * [control] The static table of an option ("tollhouse.whitelist/1"), or null for an id that the driver does not
     * know. It may be called before create, and answers the same each time.
     */
    const void *(*extension)(tollhouse_text id);
} tollhouse_driver;

/*
 * The option tollhouse.whitelist/1: a camera or controller that opens by itself, from a list of its own, while the box
 * is away. What it lets in meanwhile is emitted later with "backlog":true.
 */
#define TOLLHOUSE_WHITELIST "tollhouse.whitelist/1"
#define TOLLHOUSE_WHITELIST_MAX_PLATES 200u

typedef struct tollhouse_whitelist {
    uint32_t struct_size; /* sizeof(tollhouse_whitelist) */
    uint32_t reserved;    /* 0                           */

    /*
     * [control] A part of a device's new list, as JSON:
     *
     *     {"device":"cam-in-2","revision":"7f3a","part":1,"parts":3,
     *      "plates":[{"plate":"粤C12345","from":"2026-03-01T00:00:00+08:00","until":"2027-03-01T00:00:00+08:00"}]}
     *
     * At most TOLLHOUSE_WHITELIST_MAX_PLATES plates; from and until may be missing. Parts come in order, each after the
     * one before was completed; a part 1 begins anew, whatever came before it. With the last part the list is whole: a
     * plate that is in none of its parts is taken off the device. One part without plates empties it.
     *
     * Taken, refused and completed exactly as a command; {"state":"confirmed"} when the device holds it.
     */
    int32_t (*replace)(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text part);

    /* [control] How many plates the device holds; 0 when that is not known, or the device is not. No I/O. */
    uint64_t (*capacity)(void *instance, tollhouse_text device);
} tollhouse_whitelist;

/* The layout of major 1 on 64-bit machines; the box runs on no other. The Rust side asserts the same numbers. */
#if defined(__cplusplus)
#define TOLLHOUSE_LAYOUT(condition) static_assert(condition, "the layout of the Tollhouse driver ABI, major 1")
#elif !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L
#define TOLLHOUSE_LAYOUT(condition) extern int tollhouse_layout_is_not_asserted_before_c11
#else
#define TOLLHOUSE_LAYOUT(condition) _Static_assert(condition, "the layout of the Tollhouse driver ABI, major 1")
#endif
TOLLHOUSE_LAYOUT(sizeof(tollhouse_text) == 16 && offsetof(tollhouse_text, length) == 8);
TOLLHOUSE_LAYOUT(sizeof(tollhouse_bytes) == 16 && offsetof(tollhouse_bytes, length) == 8);
TOLLHOUSE_LAYOUT(sizeof(tollhouse_host) == 64 && offsetof(tollhouse_host, context) == 16);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_host, log) == 24 && offsetof(tollhouse_host, emit) == 32);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_host, complete) == 40 && offsetof(tollhouse_host, now_ms) == 48);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_host, extension) == 56);
TOLLHOUSE_LAYOUT(sizeof(tollhouse_driver) == 80 && offsetof(tollhouse_driver, descriptor_json) == 16);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_driver, create) == 32 && offsetof(tollhouse_driver, start) == 40);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_driver, command) == 48 && offsetof(tollhouse_driver, stop) == 56);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_driver, destroy) == 64 && offsetof(tollhouse_driver, extension) == 72);
TOLLHOUSE_LAYOUT(sizeof(tollhouse_whitelist) == 24 && offsetof(tollhouse_whitelist, replace) == 8);
TOLLHOUSE_LAYOUT(offsetof(tollhouse_whitelist, capacity) == 16);

#if defined(__GNUC__)
#define TOLLHOUSE_EXPORT __attribute__((visibility("default")))
#else
#define TOLLHOUSE_EXPORT
#endif

/* The one symbol. Build with -fvisibility=hidden, so that it stays the only one. */
extern TOLLHOUSE_EXPORT const tollhouse_driver tollhouse_driver_v1;

#ifdef __cplusplus
}
#endif

#endif
