#include "runtime/service.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "runtime/version.h"
#include "wire/codec.h"

namespace runtime {

void add_service_options(CLI::App& app, ServiceOptions& options) {
  app.add_option("pipeline", options.pipeline, "The file that describes the pipeline.");
  app.add_flag("--check", options.check, "Only validate the file and what it names.");
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

int report(Loop::End end) {
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
  Context context;
  Loop::Options options;
  options.signals = &signals;
  options.on_note = log_note;
  Loop loop(context, links, machine, std::move(runner), std::move(options));
  spdlog::info("up, {}", version_text());
  return report(loop.run());
}

int serve_both(const Pipeline& pipeline, const std::string& process, Signals& signals, Part first,
               Part second) {
  start_log({process, pipeline.log_level, pipeline.log_format});
  Context context;
  Loop::Options options;
  options.on_note = log_note;
  Loop inner(context, second.links, second.machine, std::move(second.runner), options);
  options.signals = &signals;
  Loop outer(context, first.links, first.machine, std::move(first.runner), std::move(options));
  spdlog::info("up, {}", version_text());
  std::thread thread([&inner] { inner.run(); });
  const Loop::End end = outer.run();
  inner.stop();
  thread.join();
  return report(end);
}

}  // namespace runtime
