// collage-replay record: latencies of a running pipeline as a series that scenarios can replay.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "imaging/library.h"
#include "models/research/atomic_file.h"
#include "producer/connection.h"
#include "replay/commands/commands.h"
#include "replay/commands/progress.h"
#include "replay/commands/samples.h"
#include "replay/report/events.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/signals.h"

namespace replay {
namespace {

constexpr wire::Duration kTurn = std::chrono::milliseconds(100);  // Ctrl-C is noticed as often.
constexpr wire::Duration kReachMax = std::chrono::seconds(5);     // For the broker's first message.

struct RecordOptions {
  std::string endpoint = "tcp://127.0.0.1:5570";  // The broker's endpoint for producers.
  std::string keys;                               // Folder of keys; empty: no encryption.
  std::string dataset = "fashion";                // The data set whose test images are sent.
  std::filesystem::path pictures;                 // Pictures of a user's own instead.
  std::size_t images = 1000;
  std::size_t parallel = 1;  // Images under way at once.
  std::filesystem::path out = "out/latency.csv";
};

// Keeps `parallel` images under way until all have been answered.
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
  // The images that are not in the series: "3 collage, 1 missing"; empty if there are none.
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
  std::map<std::string, std::size_t> left_out_;  // Images by their outcome, if not "single".
};

int run_record(const RecordOptions& options) {
  const imaging::Library library;
  constexpr std::size_t kSamples = 100;
  const std::vector<Sample> samples =
      options.pictures.empty() ? choose_samples(test_images(options.dataset), kSamples, 1)
                               : own_samples(options.pictures, std::nullopt, kSamples, 1);
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
    std::printf("left out (the slowest may be among them): %s\n", recording.left_out().c_str());
  }
  return recording.whole() ? 0 : 1;
}

}  // namespace

void add_record_command(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* verb = app.add_subcommand(
      "record",
      "Sends test images to a running pipeline and writes how long each took, for a scenario's\n"
      "`latency: {source: series, file: ...}`.  Images that a collage or a hedge answered are "
      "left\n"
      "out: use policy `none` to record stragglers.\n\n"
      "  collage-replay record --endpoint tcp://10.0.0.5:5570 --images 5000");
  verb->add_option("--endpoint", options->endpoint, "The broker's endpoint for producers.")
      ->envname("COLLAGE_ENDPOINT")
      ->capture_default_str();
  verb->add_option("--keys", options->keys,
                   "Encrypts; the folder of producer.secret and broker.public.");
  verb->add_option("--dataset", options->dataset, "The data set whose test images are sent.")
      ->capture_default_str();
  verb->add_option("--pictures", options->pictures,
                   "Pictures of your own in their place: a folder or tar archive.");
  verb->add_option("--images", options->images, "Number of images.")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  verb->add_option("--parallel", options->parallel, "Images under way at once.")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--out", options->out, "The file of the series.")->capture_default_str();
  verbs.push_back({verb, [options] { return run_record(*options); }});
}

}  // namespace replay
