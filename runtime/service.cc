#include "runtime/service.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "runtime/notify.h"
#include "runtime/reload.h"
#include "runtime/variant.h"
#include "runtime/version.h"
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

void log_note(const wire::Note& note) {
  spdlog::log(note.level == wire::Note::Level::warning ? spdlog::level::warn : spdlog::level::info,
              "{}", note.text);
}

namespace {

// Headers must fit whatever little an image may have.
std::uint64_t frame_limit(std::uint64_t payload_bytes_max) {
  return std::max<std::uint64_t>(payload_bytes_max, wire::kHeaderBytesMax);
}

}  // namespace

Link bound_router(const std::string& endpoint, std::uint64_t frame_bytes_max) {
  Link link;
  link.kind = Link::Kind::router;
  link.bind = true;
  link.endpoint = endpoint;
  link.frame_bytes_max = frame_limit(frame_bytes_max);
  return link;
}

Link connected_dealer(const std::string& endpoint, std::uint64_t frame_bytes_max) {
  Link link;
  link.endpoint = endpoint;
  link.frame_bytes_max = frame_limit(frame_bytes_max);
  return link;
}

namespace {

// What all loops of a process have; `loop` is this one's number with the watchdog.
Loop::Options options_of(Watchdog& watchdog, std::size_t loop) {
  Loop::Options options;
  options.on_note = log_note;
  if (const auto interval = Watchdog::interval()) {
    options.beat_every = *interval;
    options.on_beat = [&watchdog, loop] { watchdog.beat(loop); };
  }
  return options;
}

void heed(Signals& signals, Pipeline& pipeline, Loop::Options& options) {
  options.signals = &signals;
  options.on_hangup = [&pipeline] { reload(pipeline); };
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

int serve(const Pipeline& pipeline, const std::string& process, Signals& signals,
          wire::Machine& machine, const std::vector<Link>& links, Loop::Runner runner) {
  start_log({process, pipeline.log_level, pipeline.log_format});
  Pipeline running = pipeline;
  Watchdog watchdog(1);
  Context context;
  Loop::Options options = options_of(watchdog, 0);
  heed(signals, running, options);
  const auto loop = open_loop(context, links, machine, std::move(runner), std::move(options));
  if (!loop) return 1;
  say_up();
  return report(loop->run());
}

int serve_both(const Pipeline& pipeline, const std::string& process, Signals& signals, Part first,
               Part second) {
  start_log({process, pipeline.log_level, pipeline.log_format});
  Pipeline running = pipeline;
  Watchdog watchdog(2);
  Context context;
  const auto inner = open_loop(context, second.links, second.machine, std::move(second.runner),
                               options_of(watchdog, 1));
  Loop::Options options = options_of(watchdog, 0);
  heed(signals, running, options);
  const auto outer =
      open_loop(context, first.links, first.machine, std::move(first.runner), std::move(options));
  if (!inner || !outer) return 1;
  say_up();
  std::thread thread([&inner] { inner->run(); });
  const Loop::End end = outer->run();
  inner->stop();
  thread.join();
  return report(end);
}

}  // namespace runtime
