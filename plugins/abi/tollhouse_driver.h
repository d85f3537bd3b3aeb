/*
 * tollhouse_driver.h: the C ABI between Tollhouse and a vendor's driver, major version 1.
 *
 * A driver is one shared library that exports one symbol, the table itself:
 *
 *     const tollhouse_driver tollhouse_driver_v1 = { ... };
 *
 * The box runs each instance of a driver in a child process of its own. What a driver breaks, it breaks for its own
 * devices only; the box ends a driver that hangs and starts it again.
 *
 * Threads. Every function carries a tag:
 *   [control]  called by the host, always from the same thread, never two at a time. Must return within 50 ms (create,
 *              start and stop: 5 s): the host's ping goes through this thread, and a driver that misses it is killed.
 *   [any]      may be called from any thread, also from inside a [control] call.
 *
 * Memory. Texts and bytes are pointer + length, not NUL-terminated, and borrowed for the call: copy what you keep.
 * A length of 0 may come with a null pointer. Nothing allocated on one side is freed on the other.
 *
 * Growth. Minor versions append fields to the tables; struct_size says how far the other side's table reaches, and
 * nobody reads past it. Options come through extension(id).
 *
 * Text is UTF-8. JSON has at most 63 KiB, a picture at most 2 MiB.
 */
#ifndef TOLLHOUSE_DRIVER_H
#define TOLLHOUSE_DRIVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TOLLHOUSE_ABI_MAJOR 1u
#define TOLLHOUSE_ABI_MINOR 0u

#define TOLLHOUSE_MAX_JSON_BYTES (63u * 1024u)
#define TOLLHOUSE_MAX_PICTURE_BYTES (2u * 1024u * 1024u)

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

typedef struct tollhouse_text {
    const char *data;
    uint64_t length;
} tollhouse_text;

typedef struct tollhouse_bytes {
    const uint8_t *data;
    uint64_t length;
} tollhouse_bytes;

/*
 * What the host offers. The table stays valid and unchanged until the process ends, so a late thread of the driver may
 * still call it. Calls after stop() has returned are allowed and have no effect. Every function takes the table itself
 * first.
 */
typedef struct tollhouse_host {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;

    /* The host's own; not for the driver. */
    const void *context;

    /* [any] A line for the box's log, at most 2 KiB; the rest is cut off. */
    void (*log)(const struct tollhouse_host *host, int32_t level, tollhouse_text message);

    /*
     * [any] Something happened at a device:
     *
     *     {"device":"cam-in-2","topic":"event/plate","body":{"plate":"粤C12345","colour":"blue","confidence":0.97}}
     *
     * `topic` and `body` are those of the MQTT contract, without the device: event/plate, event/passed, event/button,
     * event/code, event/alarm, state/barrier, state/loop, availability, ack/{cmd_id}. Where a body lacks event_id, the
     * host makes one; boot_id is always the host's, one per run of the process. at and sent_at, if given, are by the
     * device's own clock; without them the event happened now. A body that is sent again under the same event_id is
     * the same event. `picture` is the JPEG that belongs to the event, or empty.
     *
     * OK: taken. INVALID: not JSON, no device, no topic, or too large. May block while the box is busy, never long.
     */
    int32_t (*emit)(const struct tollhouse_host *host, tollhouse_text event_json, tollhouse_bytes picture);

    /*
     * [any] The outcome of a command, exactly once for each command that command() took, before its deadline.
     *
     * OK says that the device has taken it: accepted. Accepted is not opened: when a position signal proves it, emit
     * {"device":...,"topic":"ack/CMD_ID","body":{"state":"confirmed"}} later; or, when the outcome is proved already,
     * complete with {"state":"confirmed"} at once. Every other status says that it was not done; {"reason":"..."} tells
     * people why, in at most 200 characters. `json` may be empty.
     *
     * OK: passed on. INVALID: no such id or no JSON.
     */
    int32_t (*complete)(const struct tollhouse_host *host, tollhouse_text cmd_id, int32_t status, tollhouse_text json);

    /* [any] Milliseconds on a clock that never jumps. Only differences mean something; deadlines are on this clock. */
    uint64_t (*now_ms)(const struct tollhouse_host *host);

    /* [any] An option of the host by its id, or null. Major 1.0 defines none. */
    const void *(*extension)(const struct tollhouse_host *host, tollhouse_text id);
} tollhouse_host;

typedef struct tollhouse_driver {
    uint32_t struct_size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;

    /*
     * Static, made without I/O: {"id":"acme.barrier","version":"1.0.0","kinds":["barrier"],"commands":["open"],
     * "events":["state/barrier"],"config":{JSON Schema of the configuration}}
     */
    tollhouse_text descriptor_json;

    /*
     * [control] Makes an instance; called once in a process. `config` is JSON and fits the descriptor's schema. No
     * device is touched yet. On failure log() says why, *instance is not read, and destroy is not called.
     */
    int32_t (*create)(const tollhouse_host *host, tollhouse_text config, void **instance);

    /* [control] Connects to the devices and begins to emit. A device that is away is no failure: say so and go on. */
    int32_t (*start)(void *instance);

    /*
     * [control] A command to one device. The host never hands in a cmd_id twice, nor a command past its deadline.
     * `name` is open, close, hold, release, display, speak, snapshot, restart, or the driver's own with the prefix
     * x-. `args` is {"device":"gate-in-2","args":{...}}: one instance serves the devices of one lane, so every command
     * names its device.
     *
     * OK: taken; complete() follows exactly once, perhaps already inside this call. Any other status: not taken, and
     * complete() must not be called for it. After deadline_ms (see now_ms) the command must not be carried out.
     */
    int32_t (*command)(void *instance, tollhouse_text cmd_id, uint64_t deadline_ms, tollhouse_text name,
                       tollhouse_text args);

    /* [control] Ends what start began; no thread of the driver runs afterwards. What is pending is completed first. */
    int32_t (*stop)(void *instance);

    /* [control] Frees the instance; nothing is called after it. */
    void (*destroy)(void *instance);

    /* [control] A static table of an option ("tollhouse.whitelist/1"), or null. May be called before create. */
    const void *(*extension)(tollhouse_text id);
} tollhouse_driver;

#if defined(__GNUC__)
#define TOLLHOUSE_EXPORT __attribute__((visibility("default")))
#else
#define TOLLHOUSE_EXPORT
#endif

extern TOLLHOUSE_EXPORT const tollhouse_driver tollhouse_driver_v1;

#ifdef __cplusplus
}
#endif

#endif
