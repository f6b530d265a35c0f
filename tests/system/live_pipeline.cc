#include "tests/system/live_pipeline.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "imaging/encode.h"
#include "imaging/library.h"
#include "models/research/data/dataset.h"
#include "producer/push/status_poller.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/loop.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/install_paths.h"
#include "runtime/service/service.h"

namespace system_test {
namespace {

using namespace std::chrono_literals;

std::string local(int port) { return "tcp://127.0.0.1:" + std::to_string(port); }

}  // namespace

LivePipeline::LivePipeline(const Overrides& overrides, replay::live::Fleet::Size size,
                           const std::filesystem::path& like) {
  const std::vector<int> ports = replay::live::free_ports(4);
  // A test may have several.
  const std::string name = "pipeline-" + std::to_string(ports[0]);
  folder_ = scratch(name);
  file_ = scratch(name + ".yaml");
  producers_ = local(ports[0]);
  workers_ = local(ports[1]);
  answers_ = local(ports[2]);
  Overrides all = {{"endpoints.producers", producers_},
                   {"endpoints.workers", workers_},
                   {"endpoints.answers", answers_},
                   {"http.address", "none"}};
  for (const auto& [key, value] : overrides) {
    all.emplace_back(key, value == "tcp://FREE" ? local(ports[3]) : value);
  }
  std::ofstream(file_) << runtime::pipeline_variant(like, all);
  fleet_ = std::make_unique<replay::live::Fleet>(file_, size, folder_);
  const std::size_t sinks = runtime::load_pipeline(file_).endpoints.answers.size();
  // Nothing is absent on purpose yet, so a process that has already exited fails the test, too.
  await(replay::live::StartWatch(runtime::now(), replay::live::kReadyMax),
        [size, sinks](const auto& counters) {
          return counters.at("classifiers") == static_cast<std::uint64_t>(size.classifiers) &&
                 counters.at("assemblers") == static_cast<std::uint64_t>(size.collages) &&
                 counters.at("sinks") == sinks;
        });
}

LivePipeline::~LivePipeline() {
  for (const auto& [name, code] : fleet_->exited()) {
    if (code != 0) {
      ADD_FAILURE() << name << " ended with " << code << ": "
                    << replay::live::log_tail(folder_, name);
    }
  }
}

bool LivePipeline::stop() { return fleet_->stop(); }

std::map<std::string, std::uint64_t> LivePipeline::counters() const {
  producer::StatusPoller poller(100ms, 5s);
  runtime::Context context;
  const auto keys =
      runtime::open_keys(runtime::load_pipeline(file_).service, runtime::KeyOwner::producer);
  runtime::Loop loop(
      context, {runtime::connected_dealer(producers_, 1 << 20, keys, runtime::LinkName::producers)},
      poller, {}, {});
  loop.run();
  std::map<std::string, std::uint64_t> counters;
  if (!poller.status()) return counters;
  for (const wire::Counter& counter : poller.status()->counters) {
    counters[counter.name] = counter.value;
  }
  return counters;
}

void LivePipeline::await(const Enough& enough, wire::Duration limit) {
  // Processes that the test has ended before are absent on purpose.
  await(replay::live::StartWatch(runtime::now(), limit, fleet_->exited()), enough);
}

void LivePipeline::await(const replay::live::StartWatch& watch, const Enough& enough) {
  for (;;) {
    const auto now = counters();
    if (!now.empty() && enough(now)) return;
    const auto reason = watch.hopeless(fleet_->exited(), runtime::now());
    if (!reason) continue;
    std::ostringstream text;
    for (const auto& [name, value] : now) text << name << "=" << value << " ";
    FAIL() << *reason << "; the broker's counters: " << text.str();
  }
}

std::vector<Sample> samples(std::size_t count) {
  const models::Dataset data =
      models::load_fashion_mnist(models::fashion_mnist_folder(), models::Part::test);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const auto tile = data.tile(i % data.size());
    const imaging::Picture picture{
        data.shape.width, data.shape.height, data.shape.channels, {tile.begin(), tile.end()}};
    samples.push_back({wire::Payload(imaging::encode_png(picture)),
                       data.class_names[static_cast<std::size_t>(data.labels[i % data.size()])]});
  }
  return samples;
}

std::filesystem::path image_folder(std::size_t count) {
  const std::filesystem::path folder = scratch("images");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  for (const Sample& sample : samples(count)) {
    std::ofstream out(folder / (std::to_string(number++) + ".png"), std::ios::binary);
    out.write(reinterpret_cast<const char*>(sample.image.bytes().data()),
              static_cast<std::streamsize>(sample.image.size()));
  }
  return folder;
}

}  // namespace system_test
