#include "runtime/service/service.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "machine/trace.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/http.h"
#include "runtime/service/notify.h"
#include "runtime/service/reload.h"
#include "runtime/service/version.h"
#include "wire/check.h"
#include "wire/codec.h"

namespace runtime {

void add_service_options(CLI::App& app, ServiceOptions& options) {
  app.add_option("pipeline", options.pipeline, "The file that describes the pipeline.");
  app.add_flag("--check", options.check, "Only validate the file and what it names.");
  app.add_flag("--print-config", options.print_config,
               "Only validate, and print every key as it holds and where it comes from.");
}

bool only_checks(const ServiceOptions& options, const Pipeline& pipeline) {
  if (options.print_config) std::fputs(resolved_text(pipeline).c_str(), stdout);
  return options.check || options.print_config;
}

void log_note(const machine::LogMessage& note) {
  spdlog::log(
      note.level == machine::LogMessage::Level::warning ? spdlog::level::warn : spdlog::level::info,
      "{}", note.text);
}

namespace {

// Headers must fit whatever little an image may have.
std::uint64_t frame_limit(std::uint64_t payload_bytes_max) {
  return std::max<std::uint64_t>(payload_bytes_max, wire::kHeaderBytesMax);
}

}  // namespace

std::shared_ptr<KeyStore> open_keys(const Pipeline& pipeline, KeyOwner owner) {
  if (!pipeline.keys) return nullptr;
  auto keys = std::make_shared<KeyStore>(*pipeline.keys, owner);
  keys->want_servers();
  return keys;
}

Link bound_router(const std::string& endpoint, std::uint64_t frame_bytes_max,
                  std::shared_ptr<KeyStore> keys, LinkName place) {
  Link link = connected_dealer(endpoint, frame_bytes_max, std::move(keys), place);
  link.kind = Link::Kind::router;
  link.bind = true;
  return link;
}

Link connected_dealer(const std::string& endpoint, std::uint64_t frame_bytes_max,
                      std::shared_ptr<KeyStore> keys, LinkName place) {
  Link link;
  link.endpoint = endpoint;
  link.frame_bytes_max = frame_limit(frame_bytes_max);
  link.keys = std::move(keys);
  link.place = place;
  return link;
}

bool within_host(const std::string& endpoint) {
  if (!endpoint.starts_with("tcp://")) return true;
  const std::string_view host = std::string_view(endpoint).substr(6);
  return host.starts_with("127.") || host.starts_with("localhost:") || host.starts_with("[::1]:");
}

namespace {

// What all loops of a process have; `loop` is this one's number with the watchdog.
Loop::Options options_of(Watchdog& watchdog, std::size_t loop, const std::atomic<bool>& steps) {
  Loop::Options options;
  options.on_note = log_note;
  options.on_trace = [&steps](const machine::TraceEvent& step) {
    if (steps) spdlog::info("{}", machine::trace_text(step));
  };
  if (const auto interval = Watchdog::interval()) {
    options.beat_every = *interval;
    options.on_beat = [&watchdog, loop] { watchdog.beat(loop); };
  }
  return options;
}

// All links of a process have the same keys, or none.
void heed(Signals& signals, Pipeline& pipeline, const Process& process,
          std::unique_ptr<ModelReload>& renewal, std::atomic<bool>& steps, Loop::Options& options) {
  options.signals = &signals;
  options.on_hangup = [&] {
    KeyStore* keys = process.parts.front().links.front().keys.get();
    auto fresh = reload(pipeline, process.renewable, keys);
    steps = pipeline.log_requests;
    if (fresh && renewal) renewal->begin(std::move(*fresh));
  };
}

void warn_of_open_links(const Process& process) {
  std::string open;
  for (const Part& part : process.parts) {
    for (const Link& link : part.links) {
      if (!link.bind || keyed(link) || within_host(link.endpoint)) continue;
      open += (open.empty() ? "" : ", ") + link.endpoint;
    }
  }
  if (open.empty()) return;
  spdlog::warn("{}: whoever reaches this takes part, and nothing is encrypted (security.keys)",
               open);
}

// How long an onlooker waits for a loop that is busy.
constexpr wire::Duration kVisitMax = std::chrono::seconds(2);

// Of all loops together, each figure labelled with its part; nullopt if one is deaf.
std::optional<machine::Telemetry> report_of(const Process& process,
                                            const std::vector<std::unique_ptr<Loop>>& loops) {
  machine::Telemetry all;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    machine::Telemetry one;
    if (!loops[i]->visit([&] { one = loops[i]->telemetry(); }, kVisitMax)) return std::nullopt;
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

std::vector<HttpPage> pages_of(const Process& process, Loop& loop) {
  std::vector<HttpPage> pages;
  for (const Page& page : process.pages) {
    pages.push_back({page.path, page.type, [&page, &loop]() -> std::optional<std::string> {
                       std::string text;
                       if (!loop.visit([&] { text = page.body(); }, kVisitMax)) return std::nullopt;
                       return text;
                     }});
  }
  return pages;
}

// nullptr, and said in the log, if an endpoint cannot be opened.  It may be later, when its address
// is up or another process has gone, so whoever supervises this one should try again.
template <class... Arguments>
std::unique_ptr<Loop> open_loop(Arguments&&... arguments) {
  try {
    return std::make_unique<Loop>(std::forward<Arguments>(arguments)...);
  } catch (const ConfigError& error) {
    spdlog::error("{}", error.what());
    return nullptr;
  }
}

// The same for where it is to be seen.
std::unique_ptr<HttpServer> open_http(HttpServer::Options options) {
  try {
    return std::make_unique<HttpServer>(std::move(options));
  } catch (const ConfigError& error) {
    spdlog::error("{}", error.what());
    return nullptr;
  }
}

std::vector<Loop*> pointers_to(const std::vector<std::unique_ptr<Loop>>& loops) {
  std::vector<Loop*> pointers;
  for (const auto& loop : loops) pointers.push_back(loop.get());
  return pointers;
}

Loop::End run_all(const std::vector<std::unique_ptr<Loop>>& loops) {
  std::thread second;
  if (loops.size() > 1) second = std::thread([&loops] { loops[1]->run(); });
  const Loop::End end = loops[0]->run();
  if (second.joinable()) {
    loops[1]->stop();
    second.join();
  }
  for (const auto& loop : loops) loop->close_visits();
  return end;
}

void say_up() {
  spdlog::info("up, {}", version_text());
  notify_ready();
}

int report(Loop::End end) {
  notify_stopping();
  if (end == Loop::End::finished) {
    spdlog::info("drained, down");
    return 0;
  }
  spdlog::warn("down before it was drained");
  return 1;
}

}  // namespace

int serve(const Pipeline& pipeline, Signals& signals, Process process) {
  COLLAGE_CHECK(process.parts.size() == 1 || process.parts.size() == 2);
  start_log({process.name, pipeline.log_level, pipeline.log_format});
  Pipeline running = pipeline;
  std::atomic<bool> steps = running.log_requests;  // Read by every loop.
  Watchdog watchdog(process.parts.size());
  Context context;
  warn_of_open_links(process);
  std::vector<std::unique_ptr<Loop>> loops(process.parts.size());
  std::unique_ptr<ModelReload> renewal;
  // The one that binds what they are joined by comes last, for it is the one that others see.
  for (std::size_t i = loops.size(); i-- > 0;) {
    Part& part = process.parts[i];
    Loop::Options options = options_of(watchdog, i, steps);
    if (i == 0) heed(signals, running, process, renewal, steps, options);
    loops[i] = open_loop(context, part.links, part.machine, std::move(part.runner), options);
    if (!loops[i]) return 1;
  }
  if (process.renew) renewal = std::make_unique<ModelReload>(process.renew, pointers_to(loops));
  std::unique_ptr<HttpServer> http;
  if (!pipeline.http.address.empty()) {
    http = open_http({.address = pipeline.http.address,
                      .port = process.http_port,
                      .report = [&] { return report_of(process, loops); },
                      .pages = pages_of(process, *loops[0])});
    if (!http) return 1;
  }
  say_up();
  return report(run_all(loops));
}

}  // namespace runtime
