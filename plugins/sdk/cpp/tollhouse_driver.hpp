/*
 * tollhouse_driver.hpp: C++17 over the driver ABI. Derive from tollhouse::Driver, name your class in
 * TOLLHOUSE_EXPORT_DRIVER, and never see a raw table.
 *
 * It catches every exception at the boundary: a tollhouse::Refusal becomes its status, anything else INTERNAL, and both
 * are logged. A tollhouse::Pending completes its command exactly once: by answering it, or as INTERNAL when it is
 * destroyed unanswered. tollhouse_driver.h beside it has the rules; this header repeats none of them.
 *
 * It needs nothing but the standard library, and does not keep you from using any JSON library: texts go in and out as
 * they are. For what the host itself writes, json_text and json_value are enough.
 */
#ifndef TOLLHOUSE_DRIVER_HPP
#define TOLLHOUSE_DRIVER_HPP

#include "tollhouse_driver.h"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tollhouse {

enum class Status : std::int32_t {
    ok = TOLLHOUSE_OK,
    invalid = TOLLHOUSE_INVALID,
    unsupported = TOLLHOUSE_UNSUPPORTED,
    busy = TOLLHOUSE_BUSY,
    offline = TOLLHOUSE_OFFLINE,
    timeout = TOLLHOUSE_TIMEOUT,
    rejected = TOLLHOUSE_REJECTED,
    internal = TOLLHOUSE_INTERNAL,
};

enum class Level : std::int32_t {
    error = TOLLHOUSE_LOG_ERROR,
    warn = TOLLHOUSE_LOG_WARN,
    info = TOLLHOUSE_LOG_INFO,
    debug = TOLLHOUSE_LOG_DEBUG,
};

/* Why the driver does not do something: throw it from the constructor or start(). In command(), refuse the Pending. */
struct Refusal : std::exception {
    Status status;
    std::string reason;

    Refusal(Status status, std::string reason) : status(status), reason(std::move(reason)) {}
    const char *what() const noexcept override { return reason.c_str(); }
};

namespace detail {

inline tollhouse_text lend(std::string_view text) { return {text.data(), text.size()}; }

inline std::string_view borrow(tollhouse_text text) {
    return text.length == 0 ? std::string_view() : std::string_view(text.data, static_cast<std::size_t>(text.length));
}

/* Where the value that begins at `at` ends; npos when it does not. */
inline std::size_t value_end(std::string_view json, std::size_t at) {
    int depth = 0;
    bool text = false;
    for (std::size_t end = at; end < json.size(); end++) {
        const char letter = json[end];
        if (text) {
            if (letter == '\\') end++;
            else if (letter == '"') text = false;
        } else if (letter == '"') {
            text = true;
        } else if (letter == '{' || letter == '[') {
            depth++;
        } else if (letter == '}' || letter == ']') {
            if (depth == 0) return end;
            depth--;
        } else if (letter == ',' && depth == 0) {
            return end;
        }
        if (depth == 0 && !text && end + 1 == json.size()) return json.size();
    }
    return std::string_view::npos;
}

inline std::string_view trimmed(std::string_view text) {
    const char *const white = " \t\r\n";
    const auto from = text.find_first_not_of(white);
    return from == std::string_view::npos ? std::string_view() : text.substr(from, text.find_last_not_of(white) - from + 1);
}

inline void append_utf8(std::string &text, std::uint32_t point) {
    if (point < 0x80) {
        text += static_cast<char>(point);
    } else if (point < 0x800) {
        text += static_cast<char>(0xC0 | point >> 6);
        text += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        text += static_cast<char>(0xE0 | point >> 12);
        text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (point & 0x3F));
    } else {
        text += static_cast<char>(0xF0 | point >> 18);
        text += static_cast<char>(0x80 | (point >> 12 & 0x3F));
        text += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        text += static_cast<char>(0x80 | (point & 0x3F));
    }
}

inline std::optional<std::uint32_t> hex4(std::string_view digits) {
    if (digits.size() < 4) return std::nullopt;
    std::uint32_t point = 0;
    for (std::size_t at = 0; at < 4; at++) {
        const char digit = digits[at];
        const int value = digit >= '0' && digit <= '9'   ? digit - '0'
                          : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                          : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                         : -1;
        if (value < 0) return std::nullopt;
        point = point << 4 | static_cast<std::uint32_t>(value);
    }
    return point;
}

}  // namespace detail

/* The value of a field of a JSON object, as it is written; nothing when the object has no such field. */
inline std::optional<std::string_view> json_value(std::string_view object, std::string_view key) {
    object = detail::trimmed(object);
    if (object.size() < 2 || object.front() != '{' || object.back() != '}') return std::nullopt;
    for (std::size_t at = 1; at < object.size();) {
        const auto colon = object.find(':', object.find('"', object.find('"', at) + 1));
        if (colon == std::string_view::npos) return std::nullopt;
        const auto name = detail::trimmed(object.substr(at, colon - at));
        const auto end = detail::value_end(object, colon + 1);
        if (end == std::string_view::npos) return std::nullopt;
        if (name.size() == key.size() + 2 && name.substr(1, key.size()) == key) {
            return detail::trimmed(object.substr(colon + 1, end - colon - 1));
        }
        at = end + 1;
    }
    return std::nullopt;
}

/* A text field of a JSON object; nothing when there is none, or it is no text. */
inline std::optional<std::string> json_text(std::string_view object, std::string_view key) {
    const auto value = json_value(object, key);
    if (!value || value->size() < 2 || value->front() != '"' || value->back() != '"') return std::nullopt;
    const auto inner = value->substr(1, value->size() - 2);
    std::string text;
    for (std::size_t at = 0; at < inner.size(); at++) {
        if (inner[at] != '\\') {
            text += inner[at];
            continue;
        }
        if (++at >= inner.size()) return std::nullopt;
        switch (inner[at]) {
        case 'n': text += '\n'; break;
        case 't': text += '\t'; break;
        case 'r': text += '\r'; break;
        case 'b': text += '\b'; break;
        case 'f': text += '\f'; break;
        case 'u': {
            auto point = detail::hex4(inner.substr(at + 1));
            if (!point) return std::nullopt;
            at += 4;
            if (*point >= 0xD800 && *point < 0xDC00 && inner.substr(at + 1, 2) == "\\u") {
                const auto low = detail::hex4(inner.substr(at + 3));
                if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
                point = 0x10000 + ((*point - 0xD800) << 10) + (*low - 0xDC00);
                at += 6;
            }
            detail::append_utf8(text, *point);
            break;
        }
        default: text += inner[at];
        }
    }
    return text;
}

/* A text as JSON writes it, quotes included. */
inline std::string json_quote(std::string_view text) {
    static const char digits[] = "0123456789abcdef";
    std::string json = "\"";
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            json += '\\';
            json += letter;
        } else if (byte < 0x20) {
            json += "\\u00";
            json += digits[byte >> 4];
            json += digits[byte & 15];
        } else {
            json += letter;
        }
    }
    return json + '"';
}

/* The host. Copy it to wherever the driver works; it stays valid until the process ends, and any thread may use it. */
class Host {
public:
    explicit Host(const tollhouse_host *table) : table_(table) {}

    void log(Level level, std::string_view message) const {
        table_->log(table_, static_cast<std::int32_t>(level), detail::lend(message));
    }

    /* Something happened at a device; `body` is JSON. Answers what the host answered. */
    Status emit(std::string_view device, std::string_view topic, std::string_view body, std::string_view picture = {}) const {
        return emit_event(event(device, topic, body) + '}', picture);
    }

    /* The same for a camera whose answer is the command. `opens`: whose open it is, if not the device's own. */
    Status emit_for_reply(std::string_view device, std::string_view topic, std::string_view body, std::string_view picture,
                          std::string_view token, std::uint64_t by_ms, std::string_view opens = {}) const {
        std::string json = event(device, topic, body) + ",\"reply_token\":" + json_quote(token);
        json += ",\"reply_by_ms\":" + std::to_string(by_ms);
        if (!opens.empty()) json += ",\"reply_for\":" + json_quote(opens);
        return emit_event(json + '}', picture);
    }

    /* Milliseconds on the clock of deadlines. */
    std::uint64_t now_ms() const { return table_->now_ms(table_); }

    /* How long it is until a deadline; nothing once it has passed. */
    std::chrono::milliseconds until(std::uint64_t deadline_ms) const {
        const auto now = now_ms();
        return std::chrono::milliseconds(deadline_ms > now ? deadline_ms - now : 0);
    }

private:
    friend class Pending;

    static std::string event(std::string_view device, std::string_view topic, std::string_view body) {
        std::string json = "{\"device\":" + json_quote(device) + ",\"topic\":" + json_quote(topic) + ",\"body\":";
        json += body;
        return json;
    }

    Status emit_event(const std::string &json, std::string_view picture) const {
        const tollhouse_bytes bytes = {reinterpret_cast<const std::uint8_t *>(picture.data()), picture.size()};
        return static_cast<Status>(table_->emit(table_, detail::lend(json), bytes));
    }

    const tollhouse_host *table_;
};

/* A command's answer, owed exactly once: moved, not copied, and answered as INTERNAL when it is destroyed unanswered. */
class Pending {
public:
    Pending(Host host, std::string cmd_id) : host_(host), cmd_id_(std::move(cmd_id)) {}
    Pending(Pending &&other) noexcept : host_(other.host_), cmd_id_(std::move(other.cmd_id_)), open_(std::exchange(other.open_, false)) {}
    Pending &operator=(Pending &&other) noexcept {
        if (this != &other) {
            drop();
            host_ = other.host_;
            cmd_id_ = std::move(other.cmd_id_);
            open_ = std::exchange(other.open_, false);
        }
        return *this;
    }
    Pending(const Pending &) = delete;
    Pending &operator=(const Pending &) = delete;
    ~Pending() { drop(); }

    const std::string &cmd_id() const { return cmd_id_; }

    /* The device has taken it. Prove it later with confirm_later(). */
    void accept() { answer(Status::ok, {}); }

    /* It is done, and a signal proves it. */
    void confirm() { answer(Status::ok, "{\"state\":\"confirmed\"}"); }

    /* It was not done. */
    void refuse(Status status, std::string_view reason) { answer(status, "{\"reason\":" + json_quote(reason) + "}"); }

    /* Tells that an accepted command is proved done. */
    static Status confirm_later(const Host &host, std::string_view device, const std::string &cmd_id) {
        return host.emit(device, "ack/" + cmd_id, "{\"state\":\"confirmed\"}");
    }

private:
    void answer(Status status, std::string_view json) {
        if (!std::exchange(open_, false)) return;
        const auto *table = host_.table_;
        table->complete(table, detail::lend(cmd_id_), static_cast<std::int32_t>(status), detail::lend(json));
    }

    void drop() noexcept { answer(Status::internal, "{\"reason\":\"the driver dropped the command\"}"); }

    Host host_;
    std::string cmd_id_;
    bool open_ = true;
};

/* A command to one of the driver's devices. */
struct Command {
    std::string device;
    std::string name;
    std::string args; /* JSON */
    std::uint64_t deadline_ms;
};

/*
 * A driver. A class that derives from it also has
 *     static constexpr std::string_view descriptor = R"({...})";
 *     MyDriver(tollhouse::Host host, std::string_view config);
 * The destructor is destroy().
 */
class Driver {
public:
    virtual ~Driver() = default;
    virtual void start() = 0;
    /* Answer `pending` here or later, from any thread. Throwing, or dropping it, answers INTERNAL. */
    virtual void command(Command command, Pending pending) = 0;
    virtual void stop() noexcept = 0;
};

/* A driver whose devices keep a list of plates; derive from it as well, and list the option in the descriptor. */
class Whitelist {
public:
    virtual ~Whitelist() = default;
    virtual void replace(std::string_view part, Pending pending) = 0;
    virtual std::uint64_t capacity(std::string_view device) noexcept = 0;
};

namespace detail {

/* Runs a piece of the driver and turns whatever it throws into a status. */
template <typename Body>
std::int32_t guarded(const Host &host, const char *where, Body body) noexcept {
    try {
        try {
            body();
            return TOLLHOUSE_OK;
        } catch (const Refusal &refusal) {
            host.log(Level::error, std::string(where) + ": " + refusal.reason);
            return static_cast<std::int32_t>(refusal.status);
        } catch (const std::exception &fault) {
            host.log(Level::error, std::string(where) + " threw: " + fault.what());
        } catch (...) {
            host.log(Level::error, std::string(where) + " threw something that is no std::exception");
        }
    } catch (...) {
        /* No memory even for the words. */
    }
    return TOLLHOUSE_INTERNAL;
}

template <typename D>
struct Instance {
    Host host;
    std::unique_ptr<D> driver;
};

template <typename D>
struct Table {
    static Instance<D> &of(void *instance) { return *static_cast<Instance<D> *>(instance); }

    static std::int32_t create(const tollhouse_host *table, tollhouse_text config, void **instance) noexcept {
        if (table == nullptr || table->abi_major != TOLLHOUSE_ABI_MAJOR) return TOLLHOUSE_UNSUPPORTED;
        const Host host(table);
        return guarded(host, "create", [&] {
            auto made = std::make_unique<Instance<D>>(Instance<D>{host, std::make_unique<D>(host, borrow(config))});
            *instance = made.release();
        });
    }

    static std::int32_t start(void *instance) noexcept {
        return guarded(of(instance).host, "start", [&] { of(instance).driver->start(); });
    }

    /* From the Pending on the command counts as taken: whatever is thrown drops it, and that is its one completion. */
    template <typename Body>
    static std::int32_t taken(void *instance, const char *where, Body body) noexcept {
        bool taken = false;
        const auto status = guarded(of(instance).host, where, [&] { body(taken); });
        return taken ? TOLLHOUSE_OK : status;
    }

    static std::int32_t command(void *instance, tollhouse_text cmd_id, std::uint64_t deadline_ms, tollhouse_text name,
                                tollhouse_text args) noexcept {
        return taken(instance, "command", [&](bool &taken) {
            auto device = json_text(borrow(args), "device");
            if (!device) throw Refusal(Status::invalid, "the command names no device");
            const auto inner = json_value(borrow(args), "args").value_or("{}");
            Command given{std::move(*device), std::string(borrow(name)), std::string(inner), deadline_ms};
            Pending pending(of(instance).host, std::string(borrow(cmd_id)));
            taken = true;
            of(instance).driver->command(std::move(given), std::move(pending));
        });
    }

    static std::int32_t stop(void *instance) noexcept {
        return guarded(of(instance).host, "stop", [&] { of(instance).driver->stop(); });
    }

    static void destroy(void *instance) noexcept {
        const Host host = of(instance).host;
        guarded(host, "destroy", [&] { delete &of(instance); });
    }

    static std::int32_t replace(void *instance, tollhouse_text cmd_id, std::uint64_t, tollhouse_text part) noexcept {
        return taken(instance, "whitelist.replace", [&](bool &taken) {
            if (!json_text(borrow(part), "device") || !json_value(borrow(part), "plates")) {
                throw Refusal(Status::invalid, "a part of a whitelist without device or plates");
            }
            Pending pending(of(instance).host, std::string(borrow(cmd_id)));
            taken = true;
            of(instance).driver->replace(borrow(part), std::move(pending));
        });
    }

    static std::uint64_t capacity(void *instance, tollhouse_text device) noexcept {
        return of(instance).driver->capacity(borrow(device));
    }

    static const void *extension(tollhouse_text id) noexcept {
        if constexpr (std::is_base_of_v<Whitelist, D>) {
            static constexpr tollhouse_whitelist list = {sizeof(tollhouse_whitelist), 0, replace, capacity};
            if (borrow(id) == TOLLHOUSE_WHITELIST) return &list;
        }
        (void)id;
        return nullptr;
    }
};

}  // namespace detail
}  // namespace tollhouse

/* Exports a driver as the library's one symbol; once in a library, outside every namespace. */
#define TOLLHOUSE_EXPORT_DRIVER(DRIVER)                                                                               \
    extern "C" TOLLHOUSE_EXPORT const tollhouse_driver tollhouse_driver_v1 = {                                        \
        sizeof(tollhouse_driver),                                                                                     \
        TOLLHOUSE_ABI_MAJOR,                                                                                          \
        TOLLHOUSE_ABI_MINOR,                                                                                          \
        0,                                                                                                            \
        {DRIVER::descriptor.data(), DRIVER::descriptor.size()},                                                       \
        tollhouse::detail::Table<DRIVER>::create,                                                                     \
        tollhouse::detail::Table<DRIVER>::start,                                                                      \
        tollhouse::detail::Table<DRIVER>::command,                                                                    \
        tollhouse::detail::Table<DRIVER>::stop,                                                                       \
        tollhouse::detail::Table<DRIVER>::destroy,                                                                    \
        tollhouse::detail::Table<DRIVER>::extension,                                                                  \
    }

#endif
