// An s-CNN stage, from a task that arrives over tcp to the answer that it sends, with two tasks in
// hand so that it never waits for one; against the forward of the same network alone.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "runtime/loop/loop.h"
#include "stages/classifier/classifier.h"
#include "stages/commands/classify_images.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/photographs.h"
#include "tests/bench/threads.h"
#include "wire/codec.h"

namespace bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::uint32_t kInHand = 2;
constexpr std::size_t kTopK = 3;
constexpr wire::Epoch kEpoch{77};

const models::Network& network() {
  static const models::Network loaded(
      models::load_manifest(fs::path(COLLAGE_SOURCE_DIR) / "models/cifar10_single.yaml"));
  return loaded;
}

// The broker and the sink of one stage.
class Surroundings {
 public:
  Surroundings()
      : workers_(context_, zmq::socket_type::router), answers_(context_, zmq::socket_type::router) {
    for (zmq::socket_t* socket : {&workers_, &answers_}) {
      socket->set(zmq::sockopt::linger, 0);
      socket->set(zmq::sockopt::rcvtimeo, 20'000);
      socket->bind("tcp://127.0.0.1:*");
    }
  }

  std::string workers() const { return workers_.get(zmq::sockopt::last_endpoint); }
  std::string answers() const { return answers_.get(zmq::sockopt::last_endpoint); }

  // Waits for the stage's hello.
  void welcome() {
    if (!std::holds_alternative<wire::WorkerHello>(receive(workers_))) {
      throw std::runtime_error("a stage does not begin with a hello");
    }
    send(wire::Welcome{.epoch = kEpoch, .heartbeat = 60s});
  }
  void assign(const wire::Payload& image) {
    ++sequence_;
    send(wire::Assign{.sequence = {sequence_},
                      .batch = {.epoch = kEpoch, .sequence = {sequence_}},
                      .remaining = 60s,
                      .image = image});
    forget_credit();
  }
  void await_answer() {
    const wire::Message message = receive(answers_);
    const auto* answer = std::get_if<wire::Answer>(&message);
    if (answer == nullptr || answer->verdict.predictions.size() != kTopK) {
      throw std::runtime_error("a stage does not answer");
    }
  }

 private:
  wire::Message receive(zmq::socket_t& socket) {
    zmq::message_t id, header;
    if (!socket.recv(id) || !socket.recv(header))
      throw std::runtime_error("nothing comes for 20 s");
    stage_ = id.to_string();
    auto message = wire::decode({header.data<std::uint8_t>(), header.size()}, {});
    if (!message) throw std::runtime_error("a stage says what cannot be decoded");
    return std::move(*message);
  }
  void send(const wire::Message& message) {
    const wire::Frames frames = wire::encode(message);
    workers_.send(zmq::buffer(worker_id()), zmq::send_flags::sndmore);
    workers_.send(zmq::buffer(frames.header),
                  frames.has_payload ? zmq::send_flags::sndmore : zmq::send_flags::none);
    if (!frames.has_payload) return;
    const auto bytes = frames.payload.bytes();
    workers_.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
  }
  const std::string& worker_id() {
    if (worker_.empty()) worker_ = stage_;
    return worker_;
  }
  void forget_credit() {
    zmq::message_t frame;
    while (workers_.recv(frame, zmq::recv_flags::dontwait)) {
    }
  }

  zmq::context_t context_;
  zmq::socket_t workers_, answers_;
  std::string stage_;   // The routing id of what was received last.
  std::string worker_;  // That of the stage at workers_.
  std::uint64_t sequence_ = 0;
};

runtime::Link dealer(const std::string& endpoint) {
  return {.kind = runtime::Link::Kind::dealer, .endpoint = endpoint, .frame_bytes_max = 1 << 20};
}

void ours(benchmark::State& state) {
  Surroundings around;
  stages::classifier::Classifier machine({.worker = {2, 1},
                                          .role = wire::Role::classifier,
                                          .model = network().manifest().model(),
                                          .capacity = kInHand},
                                         {.backoff_min = 10ms, .backoff_max = 10ms}, {});
  runtime::Context context;
  runtime::Loop loop(context, {dealer(around.workers()), dealer(around.answers())}, machine,
                     [](machine::Work work) {
                       return stages::classify_images(network(), {}, kTopK,
                                                      std::get<machine::Classify>(work.job));
                     },
                     {.silent = true});
  const Joined joined(std::thread([&loop] { run_or_exit([&loop] { loop.run(); }); }),
                      std::function<void()>([&loop] {
                        loop.stop();
                        loop.stop();  // At once: what it holds needs no answer.
                      }));
  around.welcome();
  const wire::Payload image(small_jpeg());
  for (std::uint32_t i = 0; i < kInHand; ++i) around.assign(image);
  const auto pass = [&] {
    around.await_answer();
    around.assign(image);
  };
  // The first inferences of a thread take longer.
  for (int i = 0; i < 5; ++i) pass();
  for (auto _ : state) pass();
}

void reference(benchmark::State& state) {
  const std::vector<std::uint8_t> pixels(network().manifest().input().bytes(), 77);
  for (auto _ : state) benchmark::DoNotOptimize(network().logits(pixels).data());
}

}  // namespace

void add_classifier() {
  benchmark::RegisterBenchmark("classifier/ours", ours)->UseRealTime();
  benchmark::RegisterBenchmark("classifier/reference", reference)->UseRealTime();
}

}  // namespace bench
