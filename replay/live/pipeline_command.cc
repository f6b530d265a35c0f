// A pipeline kept up: its processes are started, watched, started again, and stopped in order.
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "replay/commands.h"
#include "replay/live/fleet.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/signals.h"
#include "runtime/pipeline/pipeline.h"

namespace replay {
namespace {

constexpr auto kLook = std::chrono::milliseconds(100);
constexpr wire::Duration kRestartAfter = std::chrono::seconds(1);

// Starts what has fallen again, a second after it fell.
class Watch {
 public:
  Watch(live::Fleet& fleet, const std::filesystem::path& logs) : fleet_(fleet), logs_(logs) {}

  void look(wire::Instant now) {
    for (const auto& [name, code] : fleet_.fallen()) {
      const auto [known, fresh] = fell_.emplace(name, now);
      if (fresh) {
        std::fprintf(stderr, "%s ended with %d: %s\n", name.c_str(), code,
                     live::log_tail(logs_, name).c_str());
      } else if (now - known->second >= kRestartAfter) {
        std::fprintf(stderr, "%s is started again\n", name.c_str());
        fell_.erase(known);
        fleet_.restart(name);
      }
    }
  }

 private:
  live::Fleet& fleet_;
  const std::filesystem::path logs_;
  std::map<std::string, wire::Instant> fell_;
};

}  // namespace

int run_pipeline(const PipelineOptions& options) {
  const runtime::Pipeline pipeline = runtime::load_pipeline(options.pipeline);
  runtime::Signals signals;
  const int classifiers =
      options.classifiers > 0 ? options.classifiers : pipeline.grid * pipeline.grid;
  live::Fleet fleet(options.pipeline, {classifiers, options.collages}, options.logs);
  std::printf(
      "%zu processes from %s, policy %s; producers connect to %s\nlogs in %s; Ctrl-C ends\n",
      fleet.size(), options.pipeline.c_str(), pipeline.policy.c_str(),
      pipeline.endpoints.producers.c_str(), options.logs.c_str());
  std::fflush(stdout);
  Watch watch(fleet, options.logs);
  while (signals.take_stops() == 0) {
    watch.look(runtime::now());
    std::this_thread::sleep_for(kLook);
  }
  const bool clean = fleet.stop();
  std::printf("stopped\n");
  return clean ? 0 : 1;
}

}  // namespace replay
