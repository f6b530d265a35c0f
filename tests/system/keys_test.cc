// Real processes that know each other by their keys, and change them while images stream through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <memory>

#include "runtime/loop/clock.h"
#include "runtime/security/key_tree.h"
#include "runtime/security/keys.h"
#include "runtime/service/install_paths.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using runtime::KeyPair;
using runtime::PublicKey;
using system_test::LivePipeline;
using system_test::Sample;
using testing::Each;

// All keys of one host that is everything.
class Keys {
 public:
  Keys() : folder_(system_test::scratch("keys")) {
    std::filesystem::remove_all(folder_);
    runtime::make_key_tree(folder_, {"here", {"here"}, {"here"}, {"here"}, ""});
  }

  std::string folder() const { return (folder_ / "here").string(); }
  PublicKey shared(const std::string& owner) const {
    return runtime::read_key_pair(path(owner + ".secret")).shared;
  }
  void replace(const std::string& owner, const KeyPair& pair) const {
    std::filesystem::remove(path(owner + ".secret"));
    runtime::write_key_pair(path(owner + ".secret"), pair);
  }
  // What a file of public keys holds from now on.
  void list(const std::string& file, const std::vector<PublicKey>& keys) const {
    std::filesystem::remove(path(file));
    std::ofstream out(path(file));
    for (const PublicKey& key : keys) out << key.text() << "\n";
  }

 private:
  std::filesystem::path path(const std::string& file) const { return folder_ / "here" / file; }

  const std::filesystem::path folder_;
};

constexpr std::size_t kWindow = 9;

// Streams images, some at a time, and does the next step of a story whenever so many are answered.
class KeyedStream {
 public:
  KeyedStream(LivePipeline& pipeline, const Keys& keys)
      : connection_(pipeline.producers(), {}, keys.folder()) {}

  // False: not yet, ask again.
  using Step = std::function<bool()>;
  // A step every `each` images, and as many after the last.
  void run(const std::vector<Sample>& images, std::size_t each, const std::vector<Step>& steps) {
    std::size_t step = 0, next_step = each;
    const wire::Instant until = runtime::now() + 60s;
    while ((step < steps.size() || connection_.open() > 0 || delivered < next_step) &&
           runtime::now() < until) {
      while (connection_.open() < kWindow && (step < steps.size() || answers.size() < next_step)) {
        submit(images[answers.size() % images.size()]);
      }
      connection_.poll(50ms);
      if (step == steps.size() || delivered < next_step || !steps[step]()) continue;
      ++step;
      next_step = delivered + each;
    }
    EXPECT_EQ(step, steps.size());
  }
  producer::Connection& connection() { return connection_; }

  std::vector<int> answers;
  std::size_t delivered = 0, answered = 0;

 private:
  void submit(const Sample& sample) {
    const std::size_t image = answers.size();
    answers.push_back(0);
    (void)connection_.submit(sample.image, [this, image](const producer::Delivered& got) {
      answers[image] += 1;
      delivered += 1;
      answered += got.result.status == wire::ResultStatus::answered;
    });
  }

  producer::Connection connection_;
};

const std::vector<std::string> kClassifiers = {"classifier-0", "classifier-1", "classifier-2"};

void reload(LivePipeline& pipeline) {
  for (const char* name : {"broker", "sink", "collage-0"}) {
    pipeline.fleet().process(name).signal(SIGHUP);
  }
  for (const std::string& name : kClassifiers) pipeline.fleet().process(name).signal(SIGHUP);
}

// How often a process has come up, by its log.
std::size_t starts(const LivePipeline& pipeline, const std::string& name) {
  std::ifstream in(pipeline.logs() / (name + ".log"));
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);) count += line.find(": up, ") != line.npos;
  return count;
}

void restart(LivePipeline& pipeline, const std::string& name) {
  pipeline.fleet().process(name).signal(SIGTERM);
  pipeline.fleet().process(name).wait(10s);
  pipeline.fleet().restart(name);
}

LivePipeline keyed_pipeline(const Keys& keys) {
  return LivePipeline({{"security.keys", keys.folder()}, {"broker.deadline", "20s"}},
                      {.classifiers = 3, .collages = 1});
}

// Streams images while `rotate` replaces keys, in steps; the last of them is to know the new ones
// only.
struct Rotation {
  Rotation() : pipeline(keyed_pipeline(keys)), stream(pipeline, keys) {}

  void know(const std::vector<PublicKey>& brokers, const std::vector<PublicKey>& sinks,
            const std::vector<PublicKey>& stages) {
    keys.list("broker.public", brokers);
    keys.list("sink.public", sinks);
    keys.list("allowed/sinks/here.public", sinks);
    keys.list("allowed/stages/here.public", stages);
    reload(pipeline);
    stream.connection().refresh_keys();
  }
  // Steps that restart a process and wait until it is up.
  void restarts(std::vector<KeyedStream::Step>& steps, const std::string& name) {
    const auto before = std::make_shared<std::size_t>(0);
    steps.push_back([this, name, before] {
      *before = starts(pipeline, name);
      restart(pipeline, name);
      return true;
    });
    steps.push_back([this, name, before] { return starts(pipeline, name) > *before; });
  }

  const Keys keys;
  LivePipeline pipeline;
  KeyedStream stream;
  const KeyPair fresh = runtime::new_key_pair(), fresh_stage = runtime::new_key_pair();
};

TEST(Keys, OfBrokerAndStagesAreReplacedUnderLoadAndNothingIsLost) {
  Rotation now;
  const PublicKey broker = now.keys.shared("broker"), sink = now.keys.shared("sink"),
                  stage = now.keys.shared("stage");
  std::vector<KeyedStream::Step> steps = {[&] {
    now.know({broker, now.fresh.shared}, {sink}, {stage, now.fresh_stage.shared});
    now.keys.replace("broker", now.fresh);
    now.keys.replace("stage", now.fresh_stage);
    return true;
  }};
  now.restarts(steps, "broker");
  now.restarts(steps, "collage-0");
  for (const std::string& name : kClassifiers) now.restarts(steps, name);
  steps.push_back([&] {
    now.know({now.fresh.shared}, {sink}, {now.fresh_stage.shared});
    return true;
  });
  now.stream.run(system_test::samples(500), 60, steps);
  EXPECT_THAT(now.stream.answers, Each(1));
  EXPECT_EQ(now.stream.answered, now.stream.answers.size());
  const auto counters = now.pipeline.counters();
  EXPECT_EQ(counters.at("loop_keys_refused"), 0u);
  EXPECT_EQ(counters.at("loop_denied"), 0u);
  EXPECT_TRUE(now.pipeline.stop());
}

// As with any restart of the sink, answers that it had taken may be lost with it.
TEST(Keys, OfTheSinkIsReplacedUnderLoadAndNobodyIsRefused) {
  Rotation now;
  const PublicKey broker = now.keys.shared("broker"), sink = now.keys.shared("sink"),
                  stage = now.keys.shared("stage");
  std::vector<KeyedStream::Step> steps = {[&] {
    now.know({broker}, {sink, now.fresh.shared}, {stage});
    now.keys.replace("sink", now.fresh);
    return true;
  }};
  now.restarts(steps, "sink");
  steps.push_back([&] {
    now.know({broker}, {now.fresh.shared}, {stage});
    return true;
  });
  now.stream.run(system_test::samples(500), 100, steps);
  EXPECT_THAT(now.stream.answers, Each(1));
  EXPECT_GE(now.stream.answered + kWindow, now.stream.answers.size());
  EXPECT_EQ(now.pipeline.counters().at("loop_keys_refused"), 0u);
  EXPECT_TRUE(now.pipeline.stop());
}

TEST(Keys, AStrangerIsRefusedAndCounted) {
  const Keys keys;
  LivePipeline pipeline = keyed_pipeline(keys);
  const std::filesystem::path folder = system_test::scratch("stranger");
  std::filesystem::remove_all(folder);
  runtime::make_key_tree(folder, {"here", {"here"}, {"here"}, {"here"}, ""});
  std::filesystem::remove(folder / "here/broker.public");
  runtime::write_public_key(folder / "here/broker.public", keys.shared("broker"));
  const std::string push = (runtime::program_folder() / "collage-push").string();
  const std::vector<std::string> status = {push, "--status",   "--timeout",
                                           "1",  "--endpoint", pipeline.producers()};
  auto with = [&status](const std::string& of) {
    std::vector<std::string> argv = status;
    argv.insert(argv.end(), {"--keys", of});
    return argv;
  };
  EXPECT_EQ(system_test::run(with((folder / "here").string()), 10s).code, 2);
  EXPECT_EQ(system_test::run(status, 10s).code, 2);  // Without any key.
  EXPECT_EQ(system_test::run(with(keys.folder()), 10s).code, 0);
  const auto counters = pipeline.counters();
  EXPECT_GT(counters.at("loop_keys_refused"), 0u);
  EXPECT_GT(counters.at("loop_handshakes_failed"), 0u);
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
