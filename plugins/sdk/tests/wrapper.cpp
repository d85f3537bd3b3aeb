/* The C++ wrapper through its exported table, as a host calls it: exceptions stay inside, each command is answered once. */
#include "tollhouse_driver.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <vector>

static std::vector<std::string> told;

static std::string text(tollhouse_text given) { return given.length == 0 ? "" : std::string(given.data, given.length); }

static void log_line(const tollhouse_host *, std::int32_t, tollhouse_text message) { told.push_back("log " + text(message)); }

static std::int32_t emit(const tollhouse_host *, tollhouse_text event, tollhouse_bytes) {
    told.push_back("emit " + text(event));
    return TOLLHOUSE_OK;
}

static std::int32_t complete(const tollhouse_host *, tollhouse_text id, std::int32_t status, tollhouse_text json) {
    told.push_back("complete " + text(id) + " " + std::to_string(status) + " " + text(json));
    return TOLLHOUSE_OK;
}

static std::uint64_t now_ms(const tollhouse_host *) { return 5; }

static const void *extension(const tollhouse_host *, tollhouse_text) { return nullptr; }

static const tollhouse_host host = {sizeof(tollhouse_host), 1, 0, 0, nullptr, log_line, emit, complete, now_ms, extension};

struct Moody final : tollhouse::Driver, tollhouse::Whitelist {
    static constexpr std::string_view descriptor = R"({"id":"test.moody","version":"1.0.0"})";
    tollhouse::Host host;
    std::vector<tollhouse::Pending> kept;

    Moody(tollhouse::Host host, std::string_view config) : host(host) {
        const auto mood = tollhouse::json_text(config, "mood");
        if (!mood) throw tollhouse::Refusal(tollhouse::Status::invalid, "no mood");
        if (*mood == "throw") throw std::runtime_error("in create");
        if (*mood == "odd") throw 7;
    }
    void start() override { throw tollhouse::Refusal(tollhouse::Status::offline, "not today"); }
    void command(tollhouse::Command command, tollhouse::Pending pending) override {
        if (command.name == "throw") throw std::runtime_error("in command");
        if (command.name == "refuse") return pending.refuse(tollhouse::Status::busy, "a \"later\"");
        if (command.name == "keep") return kept.push_back(std::move(pending));
        if (command.name == "twice") pending.accept();
        if (command.name == "read") {
            host.emit_for_reply(command.device, "event/plate", "{\"plate\":\"A1\"}", {}, "r-1", 500, "gate-in-2");
        }
        pending.confirm();
    }
    void stop() noexcept override {}
    void replace(std::string_view, tollhouse::Pending pending) override { pending.confirm(); }
    std::uint64_t capacity(std::string_view device) noexcept override { return device == "cam-in-2" ? 500 : 0; }
};

TOLLHOUSE_EXPORT_DRIVER(Moody);

static void wants(bool true_, const char *what) {
    if (true_) return;
    std::fprintf(stderr, "not so: %s\n", what);
    for (const auto &line : told) std::fprintf(stderr, "  %s\n", line.c_str());
    std::exit(1);
}

static tollhouse_text lend(const char *words) { return tollhouse::detail::lend(words); }

int main() {
    using namespace tollhouse;
    const auto &table = tollhouse_driver_v1;
    void *instance = nullptr;

    for (const auto &[config, status, words] : {std::tuple("{}", 1, "no mood"), std::tuple("{\"mood\":\"throw\"}", 7, "in create"),
                                                std::tuple("{\"mood\":\"odd\"}", 7, "no std::exception")}) {
        told.clear();
        wants(table.create(&host, lend(config), &instance) == status && instance == nullptr, config);
        wants(told.size() == 1 && told[0].find(words) != std::string::npos, words);
    }
    wants(table.create(&host, lend("{\"mood\":\"good\"}"), &instance) == 0, "create");
    wants(table.start(instance) == TOLLHOUSE_OFFLINE, "a refusal in start is its status");

    const std::string dropped = "complete c1 7 {\"reason\":\"the driver dropped the command\"}";
    const std::string confirmed = "complete c1 0 {\"state\":\"confirmed\"}";
    const std::vector<std::tuple<const char *, std::vector<std::string>>> cases = {
        {"open", {confirmed}},
        {"refuse", {"complete c1 3 {\"reason\":\"a \\\"later\\\"\"}"}},
        {"throw", {dropped, "log command threw: in command"}},
        {"twice", {"complete c1 0 "}},
        {"keep", {}},
        {"read", {"emit {\"device\":\"gate-in-2\",\"topic\":\"event/plate\",\"body\":{\"plate\":\"A1\"},\"reply_token\":\"r-1\","
                  "\"reply_by_ms\":500,\"reply_for\":\"gate-in-2\"}", confirmed}},
    };
    for (const auto &[name, answers] : cases) {
        told.clear();
        const auto status = table.command(instance, lend("c1"), 10, lend(name), lend("{\"device\":\"gate-in-2\",\"args\":{}}"));
        wants(status == 0 && told == answers, name);
    }
    for (const char *args : {"", "{", "[]", "{\"args\":{}}", "{\"device\":7}"}) {
        told.clear();
        wants(table.command(instance, lend("c1"), 10, lend("open"), lend(args)) == TOLLHOUSE_INVALID, args);
        wants(told.size() == 1 && told[0].rfind("log ", 0) == 0, "what is not taken is not completed");
    }

    const auto *list = static_cast<const tollhouse_whitelist *>(table.extension(lend(TOLLHOUSE_WHITELIST)));
    wants(list != nullptr && list->struct_size == sizeof *list && table.extension(lend("tollhouse.whitelist/2")) == nullptr, "the option");
    told.clear();
    wants(list->replace(instance, lend("c1"), 10, lend("{\"device\":\"cam-in-2\",\"plates\":[]}")) == 0 && told[0] == confirmed, "a part");
    wants(list->replace(instance, lend("c1"), 10, lend("{}")) == TOLLHOUSE_INVALID, "a part without plates");
    wants(list->capacity(instance, lend("cam-in-2")) == 500, "capacity");

    told.clear();
    table.destroy(instance);
    wants(told == std::vector<std::string>{dropped}, "what was kept is answered when the driver goes");

    const char *json = "{ \"a\" : [1,{\"b\":\"}\"}], \"b\": \"x\\\"\\u7ca4\\ud83d\\ude97\\n\" ,\"c\":-1.5}";
    wants(json_value(json, "a") == "[1,{\"b\":\"}\"}]" && json_value(json, "c") == "-1.5", "values as they are written");
    wants(json_text(json, "b") == "x\"\u7ca4\U0001F697\n", "escapes");
    wants(!json_text(json, "c") && !json_value(json, "d") && !json_text("{\"a\":\"\\u12\"}", "a"), "what is not there");
    wants(json_quote("a\"\\\n\u7ca4") == "\"a\\\"\\\\\\u000a\u7ca4\"", "quoting");
    for (std::size_t cut = 0; cut < std::string_view(json).size(); cut++) {
        (void)json_value(std::string_view(json, cut), "c");
        (void)json_text(std::string("{\"b\":") + std::string(json + cut), "b");
    }
    return 0;
}
