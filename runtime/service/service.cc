#include "runtime/service/service.h"

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "machine/trace.h"
#include "runtime/config/config_error.h"
#include "runtime/service/http.h"
#include "runtime/service/notify.h"
#include "runtime/service/reload.h"
#include "runtime/service/version.h"
#include "wire/check.h"
#include "wire/codec.h"

namespace runtime {

void log_message(const machine::LogMessage& message) {
  spdlog::log(message.level == machine::LogMessage::Level::warning ? spdlog::level::warn
                                                                   : spdlog::level::info,
              "{}", message.text);
}

namespace {

// Waits of this thread end at their time, and not up to 50 us later, as the kernel is otherwise
// free to do.
void wake_in_time() {
  constexpr unsigned long kSlackNs = 1000;
  prctl(PR_SET_TIMERSLACK, kSlackNs);
}

// A message header must fit, however small the images are.
std::uint64_t frame_limit(std::uint64_t payload_bytes_max) {
  return std::max<std::uint64_t>(payload_bytes_max, wire::kHeaderBytesMax);
}

}  // namespace

// Checks the servers' keys at the start, where a missing one is an error of the configuration;
// later it would be a connection that never succeeds.
std::shared_ptr<KeyStore> open_keys(const ServiceConfig& config, KeyOwner owner) {
  if (!config.keys) return nullptr;
  auto keys = std::make_shared<KeyStore>(*config.keys, owner);
  keys->require_servers();
  return keys;
}

Link bound_router(const std::string& endpoint, std::uint64_t frame_bytes_max,
                  std::shared_ptr<KeyStore> keys, LinkName name) {
  Link link = connected_dealer(endpoint, frame_bytes_max, std::move(keys), name);
  link.kind = Link::Kind::router;
  link.bind = true;
  return link;
}

Link connected_dealer(const std::string& endpoint, std::uint64_t frame_bytes_max,
                      std::shared_ptr<KeyStore> keys, LinkName name) {
  Link link;
  link.endpoint = endpoint;
  link.frame_bytes_max = frame_limit(frame_bytes_max);
  link.keys = std::move(keys);
  link.name = name;
  return link;
}

bool within_host(const std::string& endpoint) {
  if (!endpoint.starts_with("tcp://")) return true;
  const std::string_view host = std::string_view(endpoint).substr(6);
  return host.starts_with("127.") || host.starts_with("localhost:") || host.starts_with("[::1]:");
}

wire::Duration drain_max_for(wire::Duration deadline_max) {
  // For a client's own word after the deadline (producer/policy.h), and for the way back.
  constexpr wire::Duration kGrace = std::chrono::seconds(1);
  constexpr wire::Duration kDrainMax = std::chrono::minutes(1);
  return std::clamp(deadline_max + kGrace, Loop::Options{}.drain_max, kDrainMax);
}

namespace {

// Returns the options of loop `loop`; the watchdog knows the loop by the same number.
Loop::Options options_of(const Process& process, Watchdog& watchdog, std::size_t loop,
                         const std::atomic<bool>& traces) {
  Loop::Options options;
  options.drain_max = process.drain_max;
  options.on_log = log_message;
  options.on_trace = [&traces](const machine::TraceEvent& event) {
    if (traces) spdlog::info("{}", machine::trace_text(event));
  };
  if (const auto interval = Watchdog::interval()) {
    options.beat_every = *interval;
    options.on_beat = [&watchdog, loop] { watchdog.beat(loop); };
  }
  return options;
}

// Makes the loop handle signals.  All links of a process share one key store, or none has keys.
void handle_signals(Signals& signals, ServiceConfig& running, const Process& process,
                    std::unique_ptr<ModelReload>& renewal, std::atomic<bool>& traces,
                    Loop::Options& options) {
  options.signals = &signals;
  options.on_hangup = [&] {
    KeyStore* keys = process.parts.front().links.front().keys.get();
    const bool renew = reload(running, process.load, process.renewable, keys);
    traces = running.log_requests;
    if (renew && renewal) renewal->begin();
  };
}

void warn_of_open_links(const Process& process) {
  // Only servers: a client's endpoint says nothing about who else may connect to it.
  std::string open;
  for (const Part& part : process.parts) {
    for (const Link& link : part.links) {
      if (!link.bind || keyed(link) || within_host(link.endpoint)) continue;
      open += (open.empty() ? "" : ", ") + link.endpoint;
    }
  }
  if (open.empty()) return;
  spdlog::warn("{}: any host that can connect is accepted, without encryption (security.keys)",
               open);
}

// How long an HTTP request waits for a busy loop: longer than any inference, shorter than the time
// after which a scraper gives up.
constexpr wire::Duration kServiceCallMax = std::chrono::seconds(2);

// The telemetry of all loops, each metric labelled with its part; nullopt if a loop is blocked.
std::optional<machine::Telemetry> telemetry_of(const Process& process,
                                               const std::vector<std::unique_ptr<Loop>>& loops) {
  machine::Telemetry all;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    machine::Telemetry one;
    if (!loops[i]->call_on_loop([&] { one = loops[i]->telemetry(); }, kServiceCallMax))
      return std::nullopt;
    for (machine::Metric& metric : one.metrics) {
      for (machine::Metric::Sample& sample : metric.samples) {
        sample.labels.emplace(sample.labels.begin(), "part", process.parts[i].name);
      }
      all.metrics.push_back(std::move(metric));
    }
    std::ranges::move(one.not_ready_reasons, std::back_inserter(all.not_ready_reasons));
  }
  return all;
}

// What a machine says, for other threads than its loop's.
HttpText said_on(Loop& loop, const std::function<std::string()>& say) {
  return [&loop, say]() -> std::optional<std::string> {
    std::string text;
    if (!loop.call_on_loop([&] { text = say(); }, kServiceCallMax)) return std::nullopt;
    return text;
  };
}

std::vector<HttpPage> pages_of(const Process& process, Loop& loop) {
  std::vector<HttpPage> pages;
  for (const Page& page : process.pages) {
    pages.push_back({page.path, page.type, said_on(loop, page.body)});
  }
  return pages;
}

std::vector<Loop*> pointers_to(const std::vector<std::unique_ptr<Loop>>& loops) {
  std::vector<Loop*> pointers;
  for (const auto& loop : loops) pointers.push_back(loop.get());
  return pointers;
}

// Runs the loop and notes how it ended.  Returns what it threw; null if nothing.
std::exception_ptr failure_of(Loop& loop, Loop::End& end) {
  try {
    end = loop.run();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

// Throws what a loop has thrown, but only once both have ended and nobody waits for them any more.
Loop::End run_all(const std::vector<std::unique_ptr<Loop>>& loops) {
  Loop::End end{}, end_of_second{};
  std::exception_ptr failure, failure_of_second;
  std::thread second;
  wake_in_time();  // And so does the thread that begins here.
  if (loops.size() > 1) {
    second = std::thread([&] {
      failure_of_second = failure_of(*loops[1], end_of_second);
      if (!failure_of_second) return;
      // Twice, so that it ends at once: what it would drain may wait for this one.
      loops[0]->stop();
      loops[0]->stop();
    });
  }
  failure = failure_of(*loops[0], end);
  if (second.joinable()) {
    loops[1]->stop();
    second.join();
  }
  for (const auto& loop : loops) loop->close_calls();
  if (failure_of_second) std::rethrow_exception(failure_of_second);
  if (failure) std::rethrow_exception(failure);
  return end;
}

void announce_ready() {
  spdlog::info("up, {}", version_text());
  notify_ready();
}

int exit_code(Loop::End end) {
  notify_stopping();
  if (end == Loop::End::finished) {
    spdlog::info("stopped after draining");
    return 0;
  }
  spdlog::warn("stopped before it was drained");
  return 1;
}

// Opens everything and runs it.  Returns the exit code.
int run(const ServiceConfig& config, Signals& signals, Process process) {
  ServiceConfig running = config;
  std::atomic<bool> traces = running.log_requests;  // Written by the first loop, read by all.
  Watchdog watchdog(process.parts.size());
  Context context;
  warn_of_open_links(process);
  std::vector<std::unique_ptr<Loop>> loops(process.parts.size());
  std::unique_ptr<ModelReload> renewal;
  // The first part opens last: the second part must be connected to their common endpoint before
  // other processes can see the first.
  for (std::size_t i = loops.size(); i-- > 0;) {
    Part& part = process.parts[i];
    Loop::Options options = options_of(process, watchdog, i, traces);
    if (i == 0) handle_signals(signals, running, process, renewal, traces, options);
    loops[i] = std::make_unique<Loop>(context, part.links, part.machine, std::move(part.runner),
                                      std::move(options));
  }
  if (process.renew) renewal = std::make_unique<ModelReload>(process.renew, pointers_to(loops));
  const Report report = [&] { return telemetry_of(process, loops); };
  std::shared_ptr<void> attached;
  if (process.attach) attached = process.attach(*loops[0], report);
  std::unique_ptr<HttpServer> http;
  if (!config.http_address.empty()) {
    http = std::make_unique<HttpServer>(HttpServer::Options{
        .address = config.http_address,
        .port = process.http_port,
        .report = report,
        .pages = pages_of(process, *loops[0]),
        .about = process.about ? said_on(*loops[0], process.about) : HttpText()});
  }
  announce_ready();
  return exit_code(run_all(loops));
}

}  // namespace

// An endpoint that cannot be opened may become available later, when its address is up or another
// process has gone, and what has ended a process that was up need not come again.  So whatever is
// thrown here is exit code 1, after which a supervisor tries again, and not 2.
int serve(const ServiceConfig& config, Signals& signals, Process process) {
  COLLAGE_CHECK(process.parts.size() == 1 || process.parts.size() == 2);
  start_log({process.name, config.log_level, config.log_format});
  try {
    return run(config, signals, std::move(process));
  } catch (const ConfigError& error) {
    spdlog::error("{}", error.what());
  } catch (const std::exception& error) {
    spdlog::error("ended by an exception: {}", error.what());
  }
  return 1;
}

}  // namespace runtime
