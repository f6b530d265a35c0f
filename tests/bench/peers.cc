// The peers of one broker (crowd.h) on one thread, each with a connection of its own.
//
//     bench_peers PRODUCERS_ENDPOINT WORKERS_ENDPOINT WORKERS PRODUCERS OPEN IMAGES
//
// Keeps OPEN images open.  What it writes and reads: crowd_main.h.
#include <sys/epoll.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "tests/bench/crowd.h"
#include "tests/bench/crowd_main.h"
#include "wire/codec.h"

namespace {

constexpr int kSilenceMs = 30'000;

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

class Peers {
 public:
  Peers(const std::string& producers, const std::string& workers, std::size_t worker_count,
        std::size_t producer_count)
      : poll_(epoll_create1(0)),
        crowd_(worker_count, producer_count,
               [this](std::size_t peer, const wire::Message& message) { say(peer, message); }) {
    context_.set(zmq::ctxopt::max_sockets, 20'000);
    for (std::size_t i = 0; i < crowd_.size(); ++i)
      add(crowd_.is_producer(i) ? producers : workers);
    for (std::size_t i = 0; i < crowd_.size(); ++i) {
      crowd_.hello(i);
      if (i == 0) until([this] { return crowd_.welcomed() == 1; });
    }
    until([this] { return crowd_.welcomed() == crowd_.size(); });
  }

  void keep_open(std::size_t count) { crowd_.keep_open(count); }
  void answer(std::uint64_t count) {
    until([this, end = crowd_.answered() + count] { return crowd_.answered() >= end; });
  }

 private:
  void add(const std::string& endpoint) {
    speakers_.push_back(std::make_unique<Speaker>(context_, endpoint));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = speakers_.size() - 1;
    epoll_ctl(poll_, EPOLL_CTL_ADD, speakers_.back()->descriptor(), &event);
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
        while (speakers_[peer]->readable()) {
          while (auto message = speakers_[peer]->receive()) crowd_.take(peer, *message);
        }
      }
    }
  }

  void say(std::size_t peer, const wire::Message& message) {
    speakers_[peer]->send(message);
    spoken_to_.push_back(peer);
  }

  zmq::context_t context_;
  int poll_;
  std::vector<std::unique_ptr<Speaker>> speakers_;
  std::vector<std::size_t> spoken_to_;
  bench::Crowd crowd_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 7) throw std::runtime_error("PRODUCERS WORKERS, then four numbers");
  raise_descriptor_limit();
  Peers peers(argv[1], argv[2], std::stoul(argv[3]), std::stoul(argv[4]));
  peers.keep_open(std::stoul(argv[5]));
  bench::converse(std::stoul(argv[5]), std::stoull(argv[6]),
                  [&](std::uint64_t count) { peers.answer(count); });
} catch (const std::exception& error) {
  std::cerr << "bench_peers: " << error.what() << "\n";
  return 2;
}
