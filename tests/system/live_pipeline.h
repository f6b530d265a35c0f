// A pipeline of real processes for a test, on ports of its own, in a scratch folder of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "producer/connection.h"
#include "replay/live/fleet.h"
#include "replay/live/start_watch.h"
#include "tests/system/run_program.h"

namespace system_test {

using Overrides = std::vector<std::pair<std::string, std::string>>;

class LivePipeline {
 public:
  // Starts the pipeline of `like`, by default the one that ships, with `overrides` and waits until
  // everything has joined.
  LivePipeline(const Overrides& overrides, replay::live::Fleet::Size size,
               const std::filesystem::path& like = COLLAGE_SOURCE_DIR "/pipeline.yaml");
  ~LivePipeline();

  replay::live::Fleet& fleet() { return *fleet_; }
  const std::string& producers() const { return producers_; }
  const std::string& workers() const { return workers_; }
  const std::string& answers() const { return answers_; }
  const std::filesystem::path& file() const { return file_; }
  const std::filesystem::path& logs() const { return folder_; }  // A file a process.

  // The broker's counters now; asked for as producer if the pipeline has keys.
  std::map<std::string, std::uint64_t> counters() const;
  // Asks for the counters until they satisfy `enough`.  Fails the test at once if a process exits
  // meanwhile, and after `limit` if all are alive.
  using Enough = std::function<bool(const std::map<std::string, std::uint64_t>&)>;
  void await(const Enough& enough, wire::Duration limit = replay::live::kReadyMax);
  // Stops the fleet; false if a process had to be killed.
  bool stop();

 private:
  void await(const replay::live::StartWatch& watch, const Enough& enough);

  std::filesystem::path folder_, file_;
  std::string producers_, workers_, answers_;
  std::unique_ptr<replay::live::Fleet> fleet_;
};

// Test images of Fashion-MNIST as PNG bodies, the first `count`, with their class names.
struct Sample {
  wire::Payload image;
  std::string label;
};
std::vector<Sample> samples(std::size_t count);
// A new folder that holds them as 0.png, 1.png and so on.
std::filesystem::path image_folder(std::size_t count);

}  // namespace system_test
