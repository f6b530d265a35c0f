// The peers of one broker, as many as are asked for: producers that keep images open, s-CNN workers
// and an assembler that do nothing, a sink that settles each slot at once.  How they and the broker
// reach each other is up to the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "wire/message.h"

namespace bench {

inline constexpr std::size_t kCrowdImageBytes = 1000;
// As in models/fashion_single.yaml, which the broker's pipeline names.
inline const std::vector<std::string> kCrowdLabels = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

class Crowd {
 public:
  // Has a peer, by its number, send a message to the broker.
  using Say = std::function<void(std::size_t peer, wire::Message message)>;

  Crowd(std::size_t workers, std::size_t producers, Say say) : say_(std::move(say)) {
    roles_ = {Role::sink, Role::assembler};
    roles_.insert(roles_.end(), workers, Role::worker);
    first_producer_ = roles_.size();
    roles_.insert(roles_.end(), producers, Role::producer);
  }

  std::size_t size() const { return roles_.size(); }
  bool is_producer(std::size_t peer) const { return peer >= first_producer_; }
  std::size_t welcomed() const { return welcomed_; }
  std::uint64_t answered() const { return answered_; }

  // The first peer is the sink, without which the broker admits nothing.
  void hello(std::size_t peer) {
    const std::uint64_t labels = wire::labels_hash(kCrowdLabels);
    const Role role = roles_[peer];
    const wire::WorkerId id{static_cast<std::uint64_t>(role) + 1, peer};
    if (role == Role::producer) {
      say_(peer, wire::ProducerHello{.producer = {7, peer}});
    } else if (role == Role::sink) {
      say_(peer, wire::WorkerHello{.worker = id, .role = wire::Role::sink, .model = {}});
    } else {
      const bool single = role == Role::worker;
      say_(peer,
           wire::WorkerHello{.worker = id,
                             .role = single ? wire::Role::classifier : wire::Role::assembler,
                             .model = {labels, static_cast<std::uint8_t>(single ? 0 : 3), "m"},
                             .capacity = 64});
    }
  }

  // Keeps so many images open in all, by turns of the producers.
  void keep_open(std::size_t count) {
    open_max_ = count;
    fill();
  }

  // What the broker says to a peer.  Throws std::runtime_error if it refuses one or does not
  // answer.
  void take(std::size_t peer, const wire::Message& message) {
    const Role role = roles_[peer];
    if (std::holds_alternative<wire::Welcome>(message)) {
      ++welcomed_;
      if (role == Role::worker || role == Role::assembler) say_(peer, wire::Ready{});
    } else if (const auto* refusal = std::get_if<wire::Refuse>(&message)) {
      throw std::runtime_error("the broker refuses a peer: " +
                               std::string(to_string(refusal->reason)));
    } else if (const auto* task = std::get_if<wire::Assign>(&message)) {
      if (role == Role::worker) settle(*task);
      say_(peer, wire::Ready{.seen = task->sequence, .held = {}});
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

 private:
  enum class Role : std::uint8_t { sink, assembler, worker, producer };

  void settle(const wire::Assign& task) {
    say_(0, wire::SlotSettled{.batch = task.batch,
                              .slot = task.slot,
                              .source = wire::Source::single,
                              .verdict = {.predictions = {{{1}, 0.9f}, {{0}, 0.1f}}},
                              .version = "m"});
  }

  void fill() {
    for (; open_ < open_max_; ++open_) {
      say_(first_producer_ + next_, wire::Submit{.request = {++request_}, .image = image_});
      next_ = (next_ + 1) % (size() - first_producer_);
    }
  }

  Say say_;
  std::vector<Role> roles_;
  std::size_t first_producer_ = 0;
  const wire::Payload image_{wire::Payload::Bytes(kCrowdImageBytes, std::uint8_t{7})};
  std::size_t welcomed_ = 0, open_ = 0, open_max_ = 0, next_ = 0;
  std::uint64_t request_ = 0, answered_ = 0;
};

}  // namespace bench
