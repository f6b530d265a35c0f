// Service times of a pipeline that is up, as a series that scenarios can replay.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "imaging/library.h"
#include "models/atomic_file.h"
#include "models/data/sources.h"
#include "producer/connection.h"
#include "replay/commands.h"
#include "replay/progress.h"
#include "replay/samples_command.h"
#include "runtime/clock.h"
#include "runtime/config_error.h"
#include "runtime/signals.h"

namespace replay {
namespace {

constexpr wire::Duration kTurn = std::chrono::milliseconds(100);
constexpr wire::Duration kReachMax = std::chrono::seconds(5);

// Keeps `parallel` images under way until `count` have been answered.
class Recording {
 public:
  Recording(const RecordOptions& options, const std::vector<Sample>& samples)
      : options_(options),
        samples_(samples),
        connection_(options.endpoint),
        progress_("recording", "images", options.images) {}

  void run(runtime::Signals& signals) {
    const wire::Instant begun = runtime::now();
    while (answered_ < options_.images && signals.take() == 0) {
      while (sent_ - answered_ < options_.parallel && sent_ < options_.images) submit();
      connection_.poll(kTurn);
      if (!connection_.joined() && answered_ == 0 && runtime::now() - begun > kReachMax) {
        throw runtime::ConfigError("no broker answered at " + options_.endpoint + " within 5 s");
      }
    }
  }

  const std::vector<double>& seconds() const { return seconds_; }
  std::size_t left_out() const { return answered_ - seconds_.size(); }

 private:
  void submit() {
    const wire::Payload& image = samples_[sent_ % samples_.size()].image;
    const auto taken =
        connection_.submit(image, [this](const producer::Delivered& d) { on_answer(d); });
    if (taken) sent_ += 1;
  }

  void on_answer(const producer::Delivered& delivered) {
    const wire::Result& result = delivered.result;
    answered_ += 1;
    progress_.at(answered_);
    if (result.status != wire::ResultStatus::answered) return;
    if (result.source != wire::Source::single) return;
    seconds_.push_back(wire::to_seconds(result.latency));
  }

  const RecordOptions& options_;
  const std::vector<Sample>& samples_;
  producer::Connection connection_;
  Progress progress_;
  std::size_t sent_ = 0, answered_ = 0;
  std::vector<double> seconds_;
};

}  // namespace

int run_record(const RecordOptions& options) {
  const imaging::Library library;
  const char* folder = std::getenv("COLLAGE_DATA");
  const models::Dataset data = models::load_by_name(
      options.dataset, models::Part::test,
      folder == nullptr ? std::nullopt : std::optional<std::filesystem::path>(folder));
  constexpr std::size_t kSamples = 100;
  const std::vector<Sample> samples = choose_samples(data, kSamples, 1);
  runtime::Signals signals;
  Recording recording(options, samples);
  recording.run(signals);
  if (recording.seconds().empty()) {
    std::fprintf(stderr, "collage-replay: no s-CNN answered in time; nothing was written\n");
    return 1;
  }
  std::string text = "seconds\n";
  for (const double seconds : recording.seconds()) text += fmt::format("{:.6f}\n", seconds);
  models::write_text(options.out, text);
  std::printf("%s: %zu latencies, %zu images left out that an s-CNN did not answer\n",
              options.out.c_str(), recording.seconds().size(), recording.left_out());
  return 0;
}

}  // namespace replay
