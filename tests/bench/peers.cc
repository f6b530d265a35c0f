// The peers of one broker, as many as are asked for, on one thread: producers that keep images
// open, s-CNN workers and an assembler that do nothing, a sink that settles each slot at once.
//
//     bench_peers PRODUCERS_ENDPOINT WORKERS_ENDPOINT WORKERS PRODUCERS OPEN IMAGES
//
// Keeps OPEN images open.  Writes "ready" once all have joined and twice as many have been
// answered, waits for a line, and writes "done" when IMAGES more have been answered; then it ends
// at the end of its input.
#include <sys/epoll.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "wire/codec.h"

namespace {

using namespace std::chrono_literals;

constexpr int kSilenceMs = 30'000;
constexpr std::size_t kImageBytes = 1000;
// As in models/fashion_single.yaml, which the broker's pipeline names.
const std::vector<std::string> kLabels = {"T-shirt/top", "Trouser",   "Pullover", "Dress",
                                          "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                          "Bag",         "Ankle boot"};

// Every connection needs some descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class Speaker {
 public:
  Speaker(zmq::context_t& context, const std::string& endpoint)
      : socket_(context, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::rcvhwm, 0);
    socket_.connect(endpoint);
  }

  void send(const wire::Message& message) {
    const wire::Frames frames = wire::encode(message);
    socket_.send(zmq::buffer(frames.header),
                 frames.has_payload ? zmq::send_flags::sndmore : zmq::send_flags::none);
    if (!frames.has_payload) return;
    const auto bytes = frames.payload.bytes();
    socket_.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
  }
  std::optional<wire::Message> receive() {
    zmq::message_t header, payload;
    if (!socket_.recv(header, zmq::recv_flags::dontwait)) return std::nullopt;
    std::vector<wire::Payload> payloads;
    while (header.more() && payloads.empty()) {
      (void)socket_.recv(payload);
      payloads.emplace_back(wire::Payload::Bytes(payload.data<std::uint8_t>(),
                                                 payload.data<std::uint8_t>() + payload.size()));
    }
    auto message = wire::decode({header.data<std::uint8_t>(), header.size()}, payloads);
    if (!message) throw std::runtime_error("the broker says what cannot be decoded");
    return std::move(*message);
  }
  bool readable() { return (socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0; }
  int descriptor() const { return socket_.get(zmq::sockopt::fd); }

 private:
  zmq::socket_t socket_;
};

enum class Role : std::uint8_t { sink, assembler, worker, producer };

class Peers {
 public:
  Peers(const std::string& producers, const std::string& workers, std::size_t worker_count,
        std::size_t producer_count)
      : poll_(epoll_create1(0)) {
    context_.set(zmq::ctxopt::max_sockets, 20'000);
    add(Role::sink, workers);
    add(Role::assembler, workers);
    for (std::size_t i = 0; i < worker_count; ++i) add(Role::worker, workers);
    for (std::size_t i = 0; i < producer_count; ++i) add(Role::producer, producers);
    // The sink first, without which nothing is admitted.
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      hello(i);
      if (i == 0) until([this] { return welcomed_ == 1; });
    }
    until([this] { return welcomed_ == peers_.size(); });
  }

  // Keeps so many images open in all, by turns of the producers.
  void keep_open(std::size_t count) {
    open_max_ = count;
    fill();
  }
  void until_answered(std::uint64_t count) {
    until([this, end = answered_ + count] { return answered_ >= end; });
  }
  // Until the first images have gone all the way.
  void warm_up() { until_answered(2 * open_max_); }

 private:
  struct Peer {
    Role role;
    std::unique_ptr<Speaker> speaker;
  };

  void add(Role role, const std::string& endpoint) {
    peers_.push_back({role, std::make_unique<Speaker>(context_, endpoint)});
    if (role == Role::producer) producers_.push_back(peers_.size() - 1);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = peers_.size() - 1;
    epoll_ctl(poll_, EPOLL_CTL_ADD, peers_.back().speaker->descriptor(), &event);
  }

  void hello(std::size_t i) {
    const Peer& peer = peers_[i];
    const std::uint64_t labels = wire::labels_hash(kLabels);
    const wire::WorkerId id{static_cast<std::uint64_t>(peer.role) + 1, i};
    if (peer.role == Role::producer) {
      say(i, wire::ProducerHello{.producer = {7, i}});
    } else if (peer.role == Role::sink) {
      say(i, wire::WorkerHello{.worker = id, .role = wire::Role::sink, .model = {}});
    } else {
      const bool single = peer.role == Role::worker;
      say(i, wire::WorkerHello{.worker = id,
                               .role = single ? wire::Role::classifier : wire::Role::assembler,
                               .model = {labels, static_cast<std::uint8_t>(single ? 0 : 3), "m"},
                               .capacity = 64});
    }
  }

  template <class Done>
  void until(Done done) {
    std::vector<epoll_event> events(1024);
    while (!done()) {
      // What was sent may have taken note of what has come, so all that was spoken to is looked at.
      std::vector<std::size_t> again = std::exchange(spoken_to_, {});
      if (again.empty()) {
        const int count =
            epoll_wait(poll_, events.data(), static_cast<int>(events.size()), kSilenceMs);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) throw std::runtime_error("the broker is silent");
        for (int i = 0; i < count; ++i)
          again.push_back(events[static_cast<std::size_t>(i)].data.u64);
      }
      for (const std::size_t peer : again) {
        while (peers_[peer].speaker->readable()) {
          while (auto message = peers_[peer].speaker->receive()) take(peer, *message);
        }
      }
    }
  }

  void say(std::size_t peer, const wire::Message& message) {
    peers_[peer].speaker->send(message);
    spoken_to_.push_back(peer);
  }

  void take(std::size_t i, const wire::Message& message) {
    const Role role = peers_[i].role;
    if (std::holds_alternative<wire::Welcome>(message)) {
      ++welcomed_;
      if (role == Role::worker || role == Role::assembler) say(i, wire::Ready{});
    } else if (const auto* refusal = std::get_if<wire::Refuse>(&message)) {
      throw std::runtime_error("the broker refuses a peer: " +
                               std::string(to_string(refusal->reason)));
    } else if (const auto* task = std::get_if<wire::Assign>(&message)) {
      if (role == Role::worker) settle(*task);
      say(i, wire::Ready{.seen = task->sequence, .held = {}});
    } else if (const auto* result = std::get_if<wire::Result>(&message)) {
      if (result->status != wire::ResultStatus::answered) {
        throw std::runtime_error("an image is not answered: " +
                                 std::string(to_string(result->reason)));
      }
      ++answered_;
      --open_;
      fill();
    }
  }

  void settle(const wire::Assign& task) {
    say(0, wire::SlotSettled{.batch = task.batch,
                             .slot = task.slot,
                             .source = wire::Source::single,
                             .verdict = {.predictions = {{{1}, 0.9f}, {{0}, 0.1f}}},
                             .version = "m"});
  }

  void fill() {
    for (; open_ < open_max_; ++open_) {
      say(producers_[next_], wire::Submit{.request = {++request_}, .image = image_});
      next_ = (next_ + 1) % producers_.size();
    }
  }

  zmq::context_t context_;
  int poll_;
  std::vector<Peer> peers_;
  std::vector<std::size_t> producers_, spoken_to_;
  const wire::Payload image_{wire::Payload::Bytes(kImageBytes, std::uint8_t{7})};
  std::size_t welcomed_ = 0, open_ = 0, open_max_ = 0, next_ = 0;
  std::uint64_t request_ = 0, answered_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 7) throw std::runtime_error("PRODUCERS WORKERS, then four numbers");
  raise_descriptor_limit();
  Peers peers(argv[1], argv[2], std::stoul(argv[3]), std::stoul(argv[4]));
  peers.keep_open(std::stoul(argv[5]));
  peers.warm_up();
  std::cout << "ready" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  peers.until_answered(std::stoull(argv[6]));
  std::cout << "done" << std::endl;
  std::getline(std::cin, line);
  std::_Exit(0);  // libzmq 4.3.4 may abort if it ends while frames are under way.
} catch (const std::exception& error) {
  std::cerr << "bench_peers: " << error.what() << "\n";
  return 2;
}
