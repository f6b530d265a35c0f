// Latencies of a pipeline that is up, as a series that scenarios can replay.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "imaging/library.h"
#include "models/research/atomic_file.h"
#include "producer/connection.h"
#include "replay/commands.h"
#include "replay/progress.h"
#include "replay/report/events.h"
#include "replay/samples_command.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/signals.h"

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
        connection_(options.endpoint, {}, options.keys),
        progress_("recording", "images", options.images) {}

  void run(runtime::Signals& signals) {
    const wire::Instant begun = runtime::now();
    while (answered_ < options_.images && signals.take_stops() == 0) {
      while (sent_ - answered_ < options_.parallel && sent_ < options_.images) submit();
      connection_.poll(kTurn);
      if (!connection_.joined() && answered_ == 0 && runtime::now() - begun > kReachMax) {
        throw runtime::ConfigError("no broker answered at " + options_.endpoint + " within 5 s");
      }
    }
  }

  const std::vector<double>& seconds() const { return seconds_; }
  bool whole() const { return answered_ == options_.images; }
  // "3 collage, 1 missing"; empty if nothing was left out.
  std::string left_out() const {
    std::string text;
    for (const auto& [outcome, count] : left_out_) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, outcome);
    }
    return text;
  }

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
    const std::string_view outcome = report::outcome_of(result);
    if (outcome == to_string(wire::Source::single)) {
      seconds_.push_back(wire::to_seconds(result.latency));
    } else {
      left_out_[std::string(outcome)] += 1;
    }
  }

  const RecordOptions& options_;
  const std::vector<Sample>& samples_;
  producer::Connection connection_;
  Progress progress_;
  std::size_t sent_ = 0, answered_ = 0;
  std::vector<double> seconds_;
  std::map<std::string, std::size_t> left_out_;  // By what became of them.
};

}  // namespace

int run_record(const RecordOptions& options) {
  const imaging::Library library;
  const models::Dataset data = test_images(options.dataset);
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
  std::printf("%s: %zu latencies\n", options.out.c_str(), recording.seconds().size());
  if (!recording.left_out().empty()) {
    std::printf("left out, so that the slowest may be missing: %s\n", recording.left_out().c_str());
  }
  return recording.whole() ? 0 : 1;
}

}  // namespace replay
