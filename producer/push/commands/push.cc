#include "producer/push/commands/push.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "producer/push/listing.h"
#include "producer/push/push_report.h"
#include "producer/push/pusher.h"
#include "producer/push/status_poller.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/random_id.h"

namespace producer {

namespace {

using wire::Duration;
using wire::Instant;

constexpr Duration kProgressEvery = std::chrono::milliseconds(200);
constexpr Duration kAskEvery = std::chrono::milliseconds(250);  // Repeats a lost status request.
// Below the loop's own bound of 5 s, so that open images are reported as interrupted.
constexpr Duration kDrainMax = std::chrono::seconds(2);

int complain(const std::string& what) {
  std::fprintf(stderr, "collage-push: %s\n", what.c_str());
  return 2;
}

// Prints results as they arrive and, on a terminal, the progress.
class Printer {
 public:
  explicit Printer(const PushOptions& options)
      : quiet_(options.quiet), progress_(!options.quiet && isatty(STDERR_FILENO) == 1) {
    const bool list =
        std::find(options.paths.begin(), options.paths.end(), "-") != options.paths.end();
    // A list cannot be counted before it is read, so there is no total with one.
    if (progress_ && !list) total_ = count_files(options.paths);
    // A whole line at a time, so that a reader at the other end of a pipe gets each result at once.
    std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
  }

  void print(const Line& line) {
    std::string text = json_line(line);
    text += '\n';
    if (progress_ && isatty(STDOUT_FILENO) == 1) clear();
    failed_ = std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || failed_;
  }

  void progress(const Tally& tally) {
    const Instant now = runtime::now();
    if (!progress_ || (shown_ && now - *shown_ < kProgressEvery)) return;
    shown_ = now;
    clear();
    std::fputs(progress_line(tally, total_, now - started_).c_str(), stderr);
    std::fflush(stderr);
  }

  void log(const machine::LogMessage& message) {
    if (quiet_) return;
    if (progress_) clear();
    std::fprintf(stderr, "collage-push: %s\n", message.text.c_str());
  }

  // Prints the summary.  Returns true if all results could be printed.
  bool finish(const Tally& tally) {
    if (progress_) clear();
    if (!quiet_) {
      std::fprintf(stderr, "collage-push: %s\n",
                   progress_line(tally, 0, runtime::now() - started_).c_str());
    }
    return std::fflush(stdout) == 0 && !failed_;
  }

 private:
  // Removes the line of progress: back to its begin, erase to its end.
  static void clear() { std::fputs("\r\x1b[K", stderr); }

  const bool quiet_;
  const bool progress_;
  std::uint64_t total_ = 0;
  const Instant started_ = runtime::now();
  std::optional<Instant> shown_;
  bool failed_ = false;
};

Policy client_policy(const PushOptions& options) {
  Policy policy;
  policy.producer = runtime::random_long_id<wire::ProducerId>();
  policy.deadline = options.deadline;
  policy.corrections = options.corrections;
  return policy;
}

std::string unreached(const PushOptions& options, wire::Reason refusal) {
  // In this case a broker has answered, so the other text would be wrong.
  if (refusal == wire::Reason::wrong_protocol) {
    return "the broker at " + options.endpoint + " does not speak protocol " +
           std::to_string(wire::kProtocol);
  }
  std::string what = "no broker answered at " + options.endpoint + " within " +
                     nlohmann::json(wire::to_seconds(options.reach_max)).dump() + " s";
  if (refusal != wire::Reason::none) what += ": " + std::string(to_string(refusal));
  return what;
}

using OnLog = std::function<void(const machine::LogMessage&)>;

void drive(const PushOptions& options, machine::Machine& machine, OnLog on_log) {
  runtime::Signals signals;
  runtime::Context context;
  runtime::Link broker{.endpoint = options.endpoint};
  if (!options.keys.empty()) {
    broker.keys = std::make_shared<runtime::KeyStore>(options.keys, runtime::KeyOwner::producer);
    // A status request may go to a sink as well, whose key is another.
    broker.name = options.status ? runtime::LinkName::any : runtime::LinkName::producers;
  }
  runtime::Loop loop(context, {broker}, machine, {},
                     {.signals = &signals, .on_log = std::move(on_log)});
  loop.run();
}

int push_images(const PushOptions& options) {
  Listing listing(options.paths, STDIN_FILENO);
  Printer printer(options);
  const Pusher* running = nullptr;  // The callbacks need the pusher that they are passed to.
  Pusher pusher(
      {.rate = options.rate,
       .deadline = options.deadline,
       .reach_max = options.reach_max,
       .drain_max = kDrainMax,
       .in_order = options.in_order,
       .priority = options.priority,
       .latest = options.latest},
      client_policy(options),
      [&](std::uint64_t bytes_max) {
        printer.progress(running->tally());
        return listing.next(bytes_max);
      },
      [&](const Line& line) {
        printer.print(line);
        printer.progress(running->tally());
      });
  running = &pusher;
  drive(options, pusher, [&](const machine::LogMessage& message) { printer.log(message); });
  if (!pusher.reached()) return complain(unreached(options, pusher.refusal()));
  const Tally& tally = pusher.tally();
  const bool printed = printer.finish(tally);
  if (!printed) complain("the results could not be written");
  return printed && !pusher.stopped() && tally.answered == tally.taken ? 0 : 1;
}

int print_status(const PushOptions& options) {
  StatusPoller poller(kAskEvery, options.reach_max);
  drive(options, poller, {});
  if (!poller.status()) return complain(unreached(options, wire::Reason::none));
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const wire::Counter& counter : poller.status()->counters) {
    json[counter.name] = counter.value;
  }
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  std::printf("%s\n", json.dump(2, ' ', false, replace).c_str());
  return 0;
}

}  // namespace

int push(const PushOptions& options) {
  return options.status ? print_status(options) : push_images(options);
}

}  // namespace producer
