// Images a second through the broker: tcp on the loopback, each delivered to an s-CNN worker and to
// an assembler that do nothing, the result returned.  The reference is zmq_proxy with as many
// threads, which moves two frames of the image's size and an answer of 100 bytes for each.  The
// latency is that at a fifth of the images that each can carry.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "broker/broker.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/poll.h"
#include "tests/bench/allocations.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/threads.h"
#include "wire/codec.h"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWindow = 64;  // Images open at once.
constexpr std::size_t kAnswerBytes = 100;
const std::vector<std::string> kLabels = {"cat", "dog"};

void wait_for(zmq::socket_t& socket) {
  zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  if (zmq_poll(&item, 1, 20'000) != 1) throw std::runtime_error("nothing comes for 20 s");
}

zmq::socket_t dealer(zmq::context_t& context, const std::string& endpoint) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(endpoint);
  return socket;
}

// A peer of the broker that speaks its protocol and decides nothing.
class Speaker {
 public:
  Speaker(zmq::context_t& context, const std::string& endpoint)
      : socket_(dealer(context, endpoint)) {}

  void send(const wire::Message& message) {
    const wire::Frames frames = wire::encode(message);
    socket_.send(zmq::const_buffer(frames.header.data(), frames.header.size()),
                 frames.has_payload ? zmq::send_flags::sndmore : zmq::send_flags::none);
    if (!frames.has_payload) return;
    const auto bytes = frames.payload.bytes();
    socket_.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
  }
  std::optional<wire::Message> receive() {
    zmq::message_t header;
    if (!socket_.recv(header, zmq::recv_flags::dontwait)) return std::nullopt;
    std::vector<wire::Payload> payloads;
    for (bool more = header.more(); more;) {
      auto frame = std::make_shared<zmq::message_t>();
      (void)socket_.recv(*frame);
      more = frame->more();
      const std::span bytes(frame->data<std::uint8_t>(), frame->size());
      payloads.emplace_back(std::move(frame), bytes);
    }
    auto message = wire::decode({header.data<std::uint8_t>(), header.size()}, payloads);
    if (!message) throw std::runtime_error("the broker says what cannot be decoded");
    return std::move(*message);
  }
  // The next message of that kind; others are dropped.
  template <class Kind>
  Kind await() {
    for (;;) {
      wait_for(socket_);
      while (auto message = receive()) {
        if (auto* found = std::get_if<Kind>(&*message)) return std::move(*found);
      }
    }
  }
  zmq::socket_t& socket() { return socket_; }

 private:
  zmq::socket_t socket_;
};

broker::Policy policy() {
  broker::Policy policy;
  policy.redundancy = broker::named_redundancy("collage").value();
  policy.heartbeat = 60s;
  policy.deadline = 60s;
  policy.hedge_after = 50s;
  policy.task_age_max = 60s;  // Whatever else the machine has to do.
  policy.labels = kLabels;
  return policy;
}

// An s-CNN worker, an assembler and a sink on one thread.
class Stages {
 public:
  Stages(zmq::context_t& context, const std::string& endpoint)
      : worker_(context, endpoint), assembler_(context, endpoint), sink_(context, endpoint) {
    const std::uint64_t labels = wire::labels_hash(kLabels);
    sink_.send(wire::WorkerHello{.worker = {4, 1}, .role = wire::Role::sink, .model = {}});
    (void)sink_.await<wire::Welcome>();
    worker_.send(wire::WorkerHello{.worker = {2, 1},
                                   .role = wire::Role::classifier,
                                   .model = {labels, 0, "s"},
                                   .capacity = 64});
    (void)worker_.await<wire::Welcome>();
    assembler_.send(wire::WorkerHello{.worker = {3, 1},
                                      .role = wire::Role::assembler,
                                      .model = {labels, 3, "c"},
                                      .capacity = 64});
    (void)assembler_.await<wire::Welcome>();
    worker_.send(wire::Ready{});
    assembler_.send(wire::Ready{});
  }

  // Until `quit` has a message.
  void run(zmq::socket_t& quit) {
    zmq_pollitem_t items[] = {{worker_.socket().handle(), 0, ZMQ_POLLIN, 0},
                              {assembler_.socket().handle(), 0, ZMQ_POLLIN, 0},
                              {sink_.socket().handle(), 0, ZMQ_POLLIN, 0},
                              {quit.handle(), 0, ZMQ_POLLIN, 0}};
    while ((items[3].revents & ZMQ_POLLIN) == 0) {
      zmq_poll(items, 4, -1);
      take(worker_, true);
      take(assembler_, false);
      while (sink_.receive()) {
      }
    }
  }

  // Images that the assembler has got.
  std::uint64_t assembled() const { return assembled_; }

 private:
  void take(Speaker& speaker, bool answers) {
    std::optional<wire::Sequence> seen;
    while (auto message = speaker.receive()) {
      const auto* task = std::get_if<wire::Assign>(&*message);
      if (task == nullptr) continue;
      seen = task->sequence;
      if (!answers) {
        ++assembled_;
        continue;
      }
      sink_.send(wire::SlotSettled{.batch = task->batch,
                                   .slot = task->slot,
                                   .source = wire::Source::single,
                                   .verdict = {.predictions = {{{1}, 0.9f}, {{0}, 0.1f}}},
                                   .version = "s"});
    }
    if (seen) speaker.send(wire::Ready{.seen = *seen, .held = {}});
  }

  Speaker worker_, assembler_, sink_;
  std::atomic<std::uint64_t> assembled_ = 0;
};

// Keeps a thread going until it is told to end.
class Thread {
 public:
  template <class Work>
  Thread(zmq::context_t& context, const std::string& name, Work work)
      : ours_(context, zmq::socket_type::pair) {
    ours_.bind("inproc://" + name);
    thread_ = std::thread([work = std::move(work), &context, name] {
      zmq::socket_t quit(context, zmq::socket_type::pair);
      quit.connect("inproc://" + name);
      run_or_exit([&] { work(quit); });
    });
  }
  ~Thread() {
    ours_.send(zmq::message_t(), zmq::send_flags::none);
    thread_.join();
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  zmq::socket_t ours_;
  std::thread thread_;
};

// A producer, and what its images go through: submit() sends one, take() waits for the results of
// one or more.
class BrokerPath {
 public:
  explicit BrokerPath(std::size_t bytes)
      : loop_(broker_context_, {kRouter, kRouter}, machine_, {}, {.silent = true}),
        broker_thread_(std::thread([this] { run_or_exit([this] { loop_.run(); }); }),
                       [this] {
                         loop_.stop();
                         loop_.stop();  // At once: what is open needs no answer.
                       }),
        stages_(context_, loop_.bound_endpoint(1)),
        stage_thread_(context_, "stages", [this](zmq::socket_t& quit) { stages_.run(quit); }),
        producer_(context_, loop_.bound_endpoint(0)),
        image_(wire::Payload::Bytes(bytes, std::uint8_t{7})) {
    producer_.send(wire::ProducerHello{.producer = {1, 1}});
    (void)producer_.await<wire::Welcome>();
  }

  void submit() { producer_.send(wire::Submit{.request = {++request_}, .image = image_}); }
  std::size_t take() {
    std::size_t results = 0;
    while (results == 0) {
      wait_for(producer_.socket());
      results = take_ready();
    }
    return results;
  }
  // The results that are here, without waiting.
  std::size_t take_ready() {
    std::size_t results = 0;
    while (auto message = producer_.receive()) {
      const auto* result = std::get_if<wire::Result>(&*message);
      if (result == nullptr) continue;
      if (result->status != wire::ResultStatus::answered) {
        throw std::runtime_error("an image is not answered: " +
                                 std::string(to_string(result->reason)));
      }
      ++results;
    }
    return results;
  }
  zmq::socket_t& results() { return producer_.socket(); }
  // Until the assembler has got all images.
  void await_assembler() const {
    while (stages_.assembled() < request_) std::this_thread::yield();
  }
  // Throws if the assembler has not got the images, too.
  void require_both() const {
    if (stages_.assembled() + 2 * kWindow < request_) {
      throw std::runtime_error("the assembler has got " + std::to_string(stages_.assembled()) +
                               " of " + std::to_string(request_) + " images");
    }
  }

 private:
  static inline const runtime::Link kRouter{.kind = runtime::Link::Kind::router,
                                            .bind = true,
                                            .endpoint = "tcp://127.0.0.1:*",
                                            .frame_bytes_max = 1 << 20};

  runtime::Context broker_context_;
  broker::Broker machine_{policy(), {77}};
  runtime::Loop loop_;
  Joined<std::function<void()>> broker_thread_;
  zmq::context_t context_;
  Stages stages_;
  Thread stage_thread_;
  Speaker producer_;
  wire::Payload image_;
  std::uint64_t request_ = 0;
};

// The worker behind the proxy: an answer for every second frame.
void answer_pairs(zmq::socket_t& worker, zmq::socket_t& quit) {
  const std::string answer(kAnswerBytes, 'a');
  zmq_pollitem_t items[] = {{worker.handle(), 0, ZMQ_POLLIN, 0}, {quit.handle(), 0, ZMQ_POLLIN, 0}};
  bool second = false;
  while ((items[1].revents & ZMQ_POLLIN) == 0) {
    zmq_poll(items, 2, -1);
    zmq::message_t id;
    while (worker.recv(id, zmq::recv_flags::dontwait)) {
      zmq::message_t image;
      (void)worker.recv(image);
      if (second) {
        worker.send(id, zmq::send_flags::sndmore);
        worker.send(zmq::buffer(answer), zmq::send_flags::none);
      }
      second = !second;
    }
  }
}

class ProxyPath {
 public:
  explicit ProxyPath(std::size_t bytes)
      : front_(proxy_context_, zmq::socket_type::router),
        back_(proxy_context_, zmq::socket_type::dealer),
        image_(bytes, std::uint8_t{7}) {
    for (zmq::socket_t* socket : {&front_, &back_}) {
      socket->set(zmq::sockopt::linger, 0);
      socket->bind("tcp://127.0.0.1:*");
    }
    const std::string to_front = front_.get(zmq::sockopt::last_endpoint);
    const std::string to_back = back_.get(zmq::sockopt::last_endpoint);
    proxy_.emplace(std::thread([this] {
                     // Until the context ends.
                     zmq_proxy(front_.handle(), back_.handle(), nullptr);
                     front_.close();
                     back_.close();
                   }),
                   [this] { proxy_context_.shutdown(); });
    worker_ = dealer(context_, to_back);
    producer_ = dealer(context_, to_front);
    thread_.emplace(context_, "worker",
                    [this](zmq::socket_t& quit) { answer_pairs(worker_, quit); });
  }

  void submit() {
    for (int i = 0; i < 2; ++i) producer_.send(zmq::buffer(image_), zmq::send_flags::none);
  }
  std::size_t take() {
    wait_for(producer_);
    return take_ready();
  }
  std::size_t take_ready() {
    std::size_t results = 0;
    zmq::message_t answer;
    while (producer_.recv(answer, zmq::recv_flags::dontwait)) ++results;
    return results;
  }
  zmq::socket_t& results() { return producer_; }
  void require_both() const {}

 private:
  zmq::context_t proxy_context_;
  zmq::socket_t front_, back_;
  std::vector<std::uint8_t> image_;
  std::optional<Joined<std::function<void()>>> proxy_;
  zmq::context_t context_;
  zmq::socket_t worker_, producer_;
  std::optional<Thread> thread_;
};

// Sends images, kWindow of them open, until `another` is false; it is asked before each.
template <class Path, class Another>
void saturate(Path& path, Another another) {
  std::size_t open = 0;
  for (; open < kWindow; ++open) path.submit();
  while (another()) {
    while (open == kWindow) open -= std::min(open, path.take());
    path.submit();
    ++open;
  }
  // libzmq 4.3.4 may abort (`!_io_error`) if both sides end while frames are under way.
  while (open > 0) open -= std::min(open, path.take());
  path.require_both();
}

template <class Path>
void throughput(benchmark::State& state, std::size_t bytes) {
  Path path(bytes);
  saturate(path, [&state] { return state.KeepRunning(); });
}

using Clock = std::chrono::steady_clock;

// The mean time between two images of a path that carries all it can.
template <class Path>
Clock::duration time_an_image(Path& path) {
  constexpr int kImages = 3000;
  const auto begun = Clock::now();
  saturate(path, [left = kImages]() mutable { return left-- > 0; });
  return (Clock::now() - begun) / kImages;
}

// An open loop of a fifth of that.  A latency counts from the time at which the image was due, so
// a stall shows in all images that it delays.  One worker answers, so results come in order.
template <class Path>
void latency(benchmark::State& state, std::size_t bytes) {
  using Seconds = std::chrono::duration<double>;
  Path path(bytes);
  const Clock::duration gap = 5 * time_an_image(path);
  std::vector<double> seconds;
  std::deque<Clock::time_point> open;
  Clock::time_point due = Clock::now() + gap;
  runtime::Poll poll;
  const auto step = [&] {
    if (Clock::now() >= due) {
      path.submit();
      open.push_back(due);
      due += gap;
    }
    poll.clear();
    poll.add_socket(path.results().handle());
    poll.wait(runtime::now() + std::chrono::duration_cast<wire::Duration>(due - Clock::now()));
    for (std::size_t results = path.take_ready(); results > 0; --results) {
      seconds.push_back(Seconds(Clock::now() - open.front()).count());
      open.pop_front();
    }
  };
  std::size_t counted = 0;
  for (auto _ : state) {
    while (seconds.size() <= counted) step();
    state.SetIterationTime(seconds[counted++]);
  }
  while (!open.empty()) {
    for (std::size_t left = path.take(); left > 0; --left) open.pop_front();
  }
  std::ranges::sort(seconds);
  state.counters["p50"] = seconds[seconds.size() / 2];
  state.counters["p99"] = seconds[seconds.size() * 99 / 100];
}

// Allocations of the size of an image beyond those that must be: the producer copies it to send it,
// and broker, worker and assembler receive it.
void copies(benchmark::State& state) {
  constexpr std::size_t kBytes = 500'000;
  constexpr std::uint64_t kOthers = 4;
  BrokerPath path(kBytes);
  const auto pass = [&path] {
    path.submit();
    for (std::size_t results = 0; results == 0;) results = path.take();
  };
  pass();
  path.await_assembler();
  std::uint64_t images = 0;
  (void)large_allocations(kBytes);
  for (auto _ : state) {
    pass();
    ++images;
  }
  path.await_assembler();
  const std::uint64_t allocations = large_allocations(kBytes);
  state.counters["count"] =
      static_cast<double>(allocations) / static_cast<double>(images) - kOthers;
}

template <class Path>
void add(const std::string& whose) {
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::size_t>>{
           {"1k", 1000}, {"8k", 8000}, {"30k", 30'000}, {"110k", 110'000}}) {
    const std::size_t size = bytes;
    benchmark::RegisterBenchmark(("broker-" + name + whose).c_str(), [size](
                                                                         benchmark::State& state) {
      throughput<Path>(state, size);
    })->UseRealTime();
  }
  benchmark::RegisterBenchmark(("broker-latency" + whose).c_str(), [](benchmark::State& state) {
    latency<Path>(state, 8000);
  })->UseManualTime();
}

}  // namespace

void add_broker() {
  benchmark::RegisterBenchmark("broker-copies/ours", copies)->Iterations(200);
  add<BrokerPath>("/ours");
  add<ProxyPath>("/reference");
}

}  // namespace bench
