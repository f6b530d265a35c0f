// collage-replay pipeline: starts the processes of a pipeline, watches them, starts again those
// that end, and stops all in order.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "replay/commands/commands.h"
#include "replay/live/fleet.h"
#include "replay/live/process.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/signals.h"
#include "runtime/pipeline/pipeline.h"
#include "runtime/service/install_paths.h"

namespace replay {
namespace {

constexpr wire::Duration kInterval = std::chrono::milliseconds(100);
// A process that fails at its start would otherwise be started in a tight loop.
constexpr wire::Duration kRestartAfter = std::chrono::seconds(1);

struct PipelineOptions {
  std::filesystem::path pipeline = runtime::default_pipeline();
  std::filesystem::path logs = "out/pipeline";
  int classifiers = 0;  // 0: one for each slot.
  int collages = 1;
  bool gateway = true;
};

// With keys the gateway is a producer like others, and needs a producer's key.
bool may_run_gateway(const PipelineOptions& options, const runtime::Pipeline& pipeline) {
  return options.gateway && (!pipeline.service.keys ||
                             std::filesystem::exists(*pipeline.service.keys / "producer.secret"));
}

// Starts processes that have ended again, a second after their end.
class Supervisor {
 public:
  Supervisor(live::Fleet& fleet, const std::filesystem::path& logs) : fleet_(fleet), logs_(logs) {}

  void check(wire::Instant now) {
    for (const auto& [name, code] : fleet_.exited()) {
      const auto [known, fresh] = ended_.emplace(name, now);
      if (fresh) {
        std::fprintf(stderr, "%s ended with %d: %s\n", name.c_str(), code,
                     live::log_tail(logs_, name).c_str());
      } else if (now - known->second >= kRestartAfter) {
        std::fprintf(stderr, "%s is started again\n", name.c_str());
        ended_.erase(known);
        fleet_.restart(name);
      }
    }
  }

 private:
  live::Fleet& fleet_;
  const std::filesystem::path logs_;
  std::map<std::string, wire::Instant> ended_;  // When, by process name.
};

std::string classify_url(const runtime::Pipeline& pipeline) {
  return "http://" + pipeline.gateway.address + ":" + std::to_string(pipeline.gateway.port) +
         "/v1/classify";
}

int run_pipeline(const PipelineOptions& options) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
  runtime::Signals signals;
  const int classifiers =
      options.classifiers > 0 ? options.classifiers : pipeline.grid * pipeline.grid;
  const bool gateway = may_run_gateway(options, pipeline);
  live::Fleet fleet(options.pipeline, {classifiers, options.collages, gateway}, options.logs);
  std::printf(
      "%zu processes from %s, policy %s; producers connect to %s\n%s%slogs in %s; Ctrl-C ends\n",
      fleet.size(), options.pipeline.c_str(), pipeline.policy.c_str(),
      pipeline.endpoints.producers.c_str(), gateway ? "HTTP clients post to " : "",
      gateway ? (classify_url(pipeline) + "\n").c_str() : "", options.logs.c_str());
  std::fflush(stdout);
  Supervisor supervisor(fleet, options.logs);
  while (signals.take_stops() == 0) {
    supervisor.check(runtime::now());
    live::pause(kInterval);
  }
  const bool clean = fleet.stop();
  std::printf("stopped\n");
  return clean ? 0 : 1;
}

}  // namespace

void add_pipeline_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<PipelineOptions>();
  CLI::App* verb = app.add_subcommand("pipeline",
                                      "Keeps a whole pipeline up on this host until Ctrl-C.\n\n"
                                      "  collage-replay pipeline pipeline.yaml --classifiers 4");
  verb->add_option("pipeline", options->pipeline, "The file that describes the pipeline.");
  verb->add_option("--classifiers", options->classifiers, "s-CNN stages; 0: one for each slot.")
      ->check(CLI::Range(0, 1000));
  verb->add_option("--collages", options->collages, "Collage stages.")->check(CLI::Range(0, 100));
  verb->add_flag("--gateway,!--no-gateway", options->gateway, "Whether HTTP clients are served.");
  verb->add_option("--logs", options->logs, "Folder for the logs of the processes.");
  verbs.push_back({verb, [options] { return run_pipeline(*options); }});
}

}  // namespace replay
