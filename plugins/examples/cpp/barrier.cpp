/*
 * A barrier in C++ whose arm takes time: a thread moves it, and a command is completed when the arm has arrived.
 *
 * A real driver would talk to its device in `move`. Configuration: {"device":"gate-in-2","travel_ms":300}.
 */
#include "tollhouse_driver.hpp"

#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace {

using tollhouse::Command;
using tollhouse::Host;
using tollhouse::Pending;
using tollhouse::Refusal;
using tollhouse::Status;

class Barrier final : public tollhouse::Driver {
public:
    static constexpr std::string_view descriptor = R"({
        "id": "example.barrier", "version": "1.0.0", "kinds": ["barrier"], "commands": ["open", "close"],
        "events": ["state/barrier"],
        "config": {
            "type": "object", "required": ["device"],
            "properties": {
                "device": {"type": "string", "title": "Barrier", "format": "tollhouse-device",
                           "pattern": "^[A-Za-z0-9_-]{1,64}$", "default": "gate-in-1"},
                "travel_ms": {"type": "integer", "minimum": 0, "maximum": 5000, "default": 300}
            }
        }
    })";

    Barrier(Host host, std::string_view config) : host_(host) {
        const auto device = tollhouse::json_text(config, "device");
        if (!device) throw Refusal(Status::invalid, "the configuration names no device");
        device_ = *device;
        if (const auto travel = tollhouse::json_value(config, "travel_ms")) {
            int ms = 0;
            std::from_chars(travel->data(), travel->data() + travel->size(), ms);
            travel_ = std::chrono::milliseconds(ms);
        }
    }

    void start() override {
        tell("down");
        worker_ = std::thread([this] { work(); });
    }

    void command(Command command, Pending pending) override {
        if (command.device != device_) return pending.refuse(Status::invalid, "no such device here");
        if (command.name != "open" && command.name != "close") return pending.refuse(Status::unsupported, "it opens and closes");
        const std::lock_guard<std::mutex> held(lock_);
        if (waiting_.size() >= most_waiting) return pending.refuse(Status::busy, "too many commands wait");
        waiting_.push_back({std::move(command), std::move(pending)});
        wake_.notify_one();
    }

    void stop() noexcept override {
        {
            const std::lock_guard<std::mutex> held(lock_);
            stopping_ = true;
            wake_.notify_one();
        }
        if (worker_.joinable()) worker_.join();
        for (auto &job : waiting_) job.pending.refuse(Status::offline, "the driver stops");
        waiting_.clear();
    }

private:
    struct Job {
        Command command;
        Pending pending;
    };

    static constexpr std::size_t most_waiting = 16;

    void work() {
        std::unique_lock<std::mutex> held(lock_);
        for (;;) {
            wake_.wait(held, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            Job job = std::move(waiting_.front());
            waiting_.pop_front();
            move(held, job);
        }
    }

    /* Lets the arm travel; `held` is let go meanwhile, and stop need not wait for the arm. */
    void move(std::unique_lock<std::mutex> &held, Job &job) {
        if (host_.until(job.command.deadline_ms) <= travel_) {
            return job.pending.refuse(Status::timeout, "there is not enough time left for the arm to travel");
        }
        const bool stopped = wake_.wait_for(held, travel_, [this] { return stopping_; });
        if (stopped) return job.pending.refuse(Status::offline, "the driver stops");
        held.unlock();
        tell(job.command.name == "open" ? "up" : "down");
        job.pending.confirm();
        held.lock();
    }

    void tell(std::string_view position) {
        host_.emit(device_, "state/barrier", "{\"position\":" + tollhouse::json_quote(position) + "}");
    }

    Host host_;
    std::string device_;
    std::chrono::milliseconds travel_{300};
    std::mutex lock_;
    std::condition_variable wake_;
    std::deque<Job> waiting_;
    bool stopping_ = false;
    std::thread worker_;
};

}  // namespace

TOLLHOUSE_EXPORT_DRIVER(Barrier);
