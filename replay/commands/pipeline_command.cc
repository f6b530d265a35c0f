// collage-replay pipeline: starts the processes of a pipeline, watches them, starts again those
// that end, and stops all in order.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "producer/push/status_poller.h"
#include "replay/commands/commands.h"
#include "replay/live/fleet.h"
#include "replay/live/process.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/endpoint.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/signals.h"
#include "runtime/pipeline/pipeline.h"
#include "runtime/service/install_paths.h"
#include "runtime/service/service.h"

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

// Throws ConfigError if another process has an endpoint or a port of the pipeline.  The processes
// would only find that out one by one, and be started again and again.
void check_free(const runtime::Pipeline& pipeline, live::Fleet::Size size) {
  const auto check = [&](const std::string& key, const std::string& endpoint) {
    if (!runtime::is_taken(endpoint)) return;
    throw runtime::ConfigError(pipeline.service.file.string() + ": " + key +
                               ": another process has " + endpoint +
                               "; is this pipeline running already?");
  };
  check("endpoints.producers", pipeline.endpoints.producers);
  check("endpoints.workers", pipeline.endpoints.workers);
  for (const std::string& answers : pipeline.endpoints.answers) check("endpoints.answers", answers);
  if (size.collages > 0) check("endpoints.collage", pipeline.endpoints.collage);
  const auto check_ports = [&](const std::string& key, const std::string& address, int first,
                               int many) {
    if (address.empty()) return;
    const std::string host = address.find(':') == address.npos ? address : "[" + address + "]";
    for (int port = first; port < first + many; ++port) {
      const std::string endpoint = "tcp://" + host + ":" + std::to_string(port);
      if (runtime::parse_endpoint(endpoint)) check(key, endpoint);
    }
  };
  const std::string& address = pipeline.service.http_address;
  check_ports("http.broker", address, pipeline.http.broker, 1);
  for (std::size_t i = 0; i < pipeline.endpoints.answers.size(); ++i) {
    check_ports("http.sink", address, pipeline.http.sink + 10 * static_cast<int>(i), 1);
  }
  check_ports("http.classifier", address, pipeline.http.classifier, size.classifiers);
  check_ports("http.collage", address, pipeline.http.collage, size.collages);
  if (!size.gateway) return;
  check_ports("http.gateway", address, pipeline.http.gateway, 1);
  check_ports("gateway.port", pipeline.gateway.address, pipeline.gateway.port, 1);
}

// Asks the broker once, and returns true if all processes have joined it.
bool is_ready(const runtime::Pipeline& pipeline, live::Fleet::Size size,
              const std::shared_ptr<runtime::KeyStore>& keys) {
  producer::StatusPoller poller(kInterval, 2 * kInterval);
  runtime::Context context;
  runtime::Loop loop(context,
                     {runtime::connected_dealer(
                         runtime::reached_from_here(pipeline.endpoints.producers),
                         pipeline.broker.image_bytes_max, keys, runtime::LinkName::producers)},
                     poller, {}, {.silent = true});
  loop.run();
  if (!poller.status()) return false;
  const std::map<std::string, int> expected = {
      {"sinks", static_cast<int>(pipeline.endpoints.answers.size())},
      {"classifiers", size.classifiers},
      {"assemblers", size.collages}};
  std::size_t found = 0;
  for (const wire::Counter& counter : poller.status()->counters) {
    const auto one = expected.find(counter.name);
    found += one != expected.end() && counter.value >= static_cast<std::uint64_t>(one->second);
  }
  return found == expected.size();
}

// The keys to ask the broker with; null without encryption, nullopt if there are none for
// producers.
std::optional<std::shared_ptr<runtime::KeyStore>> keys_of(const runtime::Pipeline& pipeline) try {
  return runtime::open_keys(pipeline.service, runtime::KeyOwner::producer);
} catch (const runtime::ConfigError&) {
  return std::nullopt;
}

int run_pipeline(const PipelineOptions& options) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
  runtime::Signals signals;
  const int classifiers =
      options.classifiers > 0 ? options.classifiers : pipeline.grid * pipeline.grid;
  const bool gateway = may_run_gateway(options, pipeline);
  const live::Fleet::Size size{classifiers, options.collages, gateway};
  check_free(pipeline, size);
  live::Fleet fleet(options.pipeline, size, options.logs);
  std::printf(
      "%zu processes from %s, policy %s; producers connect to %s\n%s%slogs in %s; Ctrl-C ends\n",
      fleet.size(), options.pipeline.c_str(), pipeline.policy.c_str(),
      pipeline.endpoints.producers.c_str(), gateway ? "HTTP clients post to " : "",
      gateway ? (classify_url(pipeline) + "\n").c_str() : "", options.logs.c_str());
  std::fflush(stdout);
  Supervisor supervisor(fleet, options.logs);
  const auto keys = keys_of(pipeline);
  bool ready = !keys;  // Without keys for producers nobody can tell.
  while (signals.take_stops() == 0) {
    supervisor.check(runtime::now());
    if (!ready && is_ready(pipeline, size, *keys)) {
      ready = true;
      std::printf("ready: collage-push IMAGES --endpoint %s\n",
                  runtime::reached_from_here(pipeline.endpoints.producers).c_str());
      std::fflush(stdout);
    }
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
