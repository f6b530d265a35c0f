#include "producer/push/commands/push.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "producer/push/listing.h"
#include "producer/push/push_report.h"
#include "producer/push/pusher.h"
#include "producer/push/status_poller.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/endpoint.h"
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

// The width of the terminal, less the last column, which some terminals wrap at.
std::size_t columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return std::min<std::size_t>(known ? size.ws_col : 80, 80) - 1;
}

// Prints results as they arrive and, on a terminal, the progress.
class Printer {
 public:
  Printer(const PushOptions& options, const std::vector<Input>& inputs)
      : csv_(options.csv),
        quiet_(options.quiet),
        progress_(!options.quiet && isatty(STDERR_FILENO) == 1) {
    // A list cannot be counted before it is read, so there is no total with one.
    const bool list = std::ranges::any_of(inputs, [](const Input& i) { return i.descriptor >= 0; });
    if (progress_ && !list) total_ = count_files(inputs);
    // A whole line at a time, so that a reader at the other end of a pipe gets each result at once.
    std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
    if (csv_) write(csv_header());
  }

  void print(const Line& line) {
    if (progress_ && isatty(STDOUT_FILENO) == 1) clear();
    write(csv_ ? csv_line(line) : json_line(line));
  }

  void progress(const Tally& tally) {
    const Instant now = runtime::now();
    if (!progress_ || (shown_ && now - *shown_ < kProgressEvery)) return;
    shown_ = now;
    clear();
    std::fputs(progress_line(tally, total_, now - started_, columns()).c_str(), stderr);
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
      std::istringstream lines(summary(tally, runtime::now() - started_));
      for (std::string line; std::getline(lines, line);) {
        std::fprintf(stderr, "collage-push: %s\n", line.c_str());
      }
    }
    return std::fflush(stdout) == 0 && !failed_;
  }

 private:
  // Removes the line of progress: back to its begin, erase to its end.
  static void clear() { std::fputs("\r\x1b[K", stderr); }

  void write(std::string text) {
    text += '\n';
    failed_ = std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || failed_;
  }

  const bool csv_;
  const bool quiet_;
  const bool progress_;
  std::uint64_t total_ = 0;
  const Instant started_ = runtime::now();
  std::optional<Instant> shown_;
  bool failed_ = false;
};

// What the user names, in order: paths, then lists.  Lists that are files stay open until the end.
class Inputs {
 public:
  // Throws runtime::ConfigError, which names a list that cannot be opened.  Waits for the writer of
  // a list that is a pipe, as every program does that opens one.
  explicit Inputs(const PushOptions& options) {
    for (const std::string& path : options.paths) {
      all_.push_back({path, path == "-" ? STDIN_FILENO : -1});
    }
    for (const std::string& list : options.lists) {
      const int descriptor = list == "-" ? STDIN_FILENO : open(list.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor < 0) {
        throw runtime::ConfigError("collage-push: --list " + list + ": " + std::strerror(errno));
      }
      all_.push_back({list, descriptor});
    }
  }
  ~Inputs() {
    for (const Input& input : all_) {
      if (input.descriptor > STDERR_FILENO) close(input.descriptor);
    }
  }
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  const std::vector<Input>& all() const { return all_; }

 private:
  std::vector<Input> all_;
};

Policy client_policy(const PushOptions& options) {
  Policy policy;
  policy.producer = runtime::random_long_id<wire::ProducerId>();
  if (options.deadline > Duration{}) policy.deadline = options.deadline;
  policy.corrections = options.corrections;
  policy.brokers = static_cast<std::uint32_t>(options.endpoints.size());
  policy.failover_after = options.failover_after;
  return policy;
}

std::string unreached(const PushOptions& options, wire::Reason refusal, const std::string& why) {
  // In this case a broker has answered, so the other text would be wrong.
  if (refusal == wire::Reason::wrong_protocol) {
    return "the broker at " + options.endpoints.back() + " does not speak protocol " +
           std::to_string(wire::kProtocol);
  }
  std::string where;
  for (const std::string& one : options.endpoints) where += (where.empty() ? "" : " or ") + one;
  std::string what = "no broker answered at " + where + " within " +
                     nlohmann::json(wire::to_seconds(options.reach_max)).dump() + " s";
  if (refusal != wire::Reason::none) return what + ": " + std::string(to_string(refusal));
  return why.empty() ? what : what + ": " + why;
}

using OnLog = std::function<void(const machine::LogMessage&)>;

// Runs the machine to its end.  `trouble` gets what kept it from the broker while `reached` was
// false, as far as that is known.
void drive(const PushOptions& options, machine::Machine& machine, OnLog on_log,
           const std::function<bool()>& reached, std::string& trouble) {
  runtime::Signals signals;
  runtime::Context context;
  std::shared_ptr<runtime::KeyStore> keys;
  if (!options.keys.empty()) {
    keys = std::make_shared<runtime::KeyStore>(options.keys, runtime::KeyOwner::producer);
  }
  std::vector<runtime::Link> brokers;
  for (const std::string& endpoint : options.endpoints) {
    // A status request may go to a sink as well, whose key is another.
    brokers.push_back(
        {.endpoint = endpoint,
         .keys = keys,
         .name = options.status ? runtime::LinkName::any : runtime::LinkName::producers});
  }
  // Silent: the log of a process goes to standard output, which has the results.
  runtime::Loop loop(context, brokers, machine, {},
                     {.signals = &signals, .on_log = std::move(on_log), .silent = true});
  loop.run();
  if (!reached()) trouble = loop.trouble();
}

int push_images(const PushOptions& options) {
  const Inputs inputs(options);
  Listing listing(inputs.all());
  Printer printer(options, inputs.all());
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
  std::string trouble;
  drive(
      options, pusher, [&](const machine::LogMessage& message) { printer.log(message); },
      [&] { return pusher.reached(); }, trouble);
  if (!pusher.reached()) return complain(unreached(options, pusher.refusal(), trouble));
  const Tally& tally = pusher.tally();
  const bool printed = printer.finish(tally);
  if (!printed) complain("the results could not be written");
  return printed && !pusher.stopped() && tally.answered == tally.taken ? 0 : 1;
}

int print_status(PushOptions options) {
  // It asks the preferred broker only, so an error must not name the others.
  options.endpoints.resize(1);
  StatusPoller poller(kAskEvery, options.reach_max);
  std::string trouble;
  drive(
      options, poller, {}, [&] { return poller.status().has_value(); }, trouble);
  if (!poller.status()) return complain(unreached(options, wire::Reason::none, trouble));
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
  for (const std::string& endpoint : options.endpoints) {
    const std::string wrong = runtime::fault_of_client_endpoint(endpoint);
    if (!wrong.empty()) return complain("--endpoint " + wrong);
  }
  return options.status ? print_status(options) : push_images(options);
}

}  // namespace producer
