// The producer of an experiment: it sends images at the times of its arrivals and reports the
// result of each one.
//
//     wait until the fleet is ready
//     warm up: batches that do not count, on an idle fleet, until service times have been learned
//     ask broker and sinks for their counters
//     idle_batches   submit N at once -> N results -> ask the broker until no stage is busy -> next
//     busy_batches   submit N at once -> N results -> next
//     open loop      submit as scheduled, however many images are open
//     ask broker and sinks for their counters, finish
//
// A latency counts from the time at which the image was meant to be sent.  A stall of the load
// generator or of the pipeline therefore shows in the latencies (no coordinated omission).
//
// A pure machine around producer::Client: experiments on real processes and in virtual time run
// this same object.
//
// An open loop may send as several producers, each with its own client, link and arrivals.
//
//   link kBroker (DEALER)  as producer::Client, and StatusRequest -> broker, Status <- broker
//   link kSink   (DEALER)  StatusRequest -> sink, Status <- sink
//   link kMore.. (DEALER)  as producer::Client, one for each producer after the first; then as
//                          kSink, one for each sink after the first
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "machine/machine.h"
#include "producer/client.h"
#include "replay/load/arrivals.h"

namespace replay::load {

// The counters of a Status.  Found by looking through all: they are some sixty, and a fleet that is
// asked whether it is idle says them several times a batch.
class Counters {
 public:
  Counters() = default;
  Counters(std::initializer_list<wire::Counter> list) : list_(list) {}
  explicit Counters(wire::Status status) : list_(std::move(status.counters)) {}

  // 0 for a name that is not there.
  std::uint64_t value(std::string_view name) const {
    const auto found = std::ranges::find(list_, name, &wire::Counter::name);
    return found == list_.end() ? 0 : found->value;
  }

 private:
  std::vector<wire::Counter> list_;
};

// The result of one image.
struct Answer {
  std::size_t image = 0;     // Number in the order of sending; images of the warm-up have none.
  wire::Instant at;          // When the result was delivered.
  wire::Duration latency{};  // From the time at which the image was meant to be sent.
  wire::Result result;
  bool local = false;        // The client itself made the result, because the broker gave none.
  std::size_t producer = 0;  // Index of the producer that sent it.

  // When the image was meant to be sent.
  wire::Instant intended() const { return at - latency; }
};

class LoadGenerator : public machine::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kSink = 1;
  static constexpr std::uint32_t kMore = 2;
  // The link of a producer to the broker, by the producer's index.
  static constexpr std::uint32_t broker_link(std::size_t producer) {
    return producer == 0 ? kBroker : kMore + static_cast<std::uint32_t>(producer) - 1;
  }

  struct Options {
    Arrivals arrivals;             // Those of the first producer.
    std::vector<Arrivals> more{};  // Those of the others, if any: all of them open loops.
    // The priority of each producer's images; normal for those that it does not list.
    std::vector<wire::Priority> priorities{};
    // Whether a client sends refused images again, until their deadline.
    bool retry_refused = true;
    std::uint64_t seed = 1;         // Seed of the arrivals.
    std::size_t slots = 9;          // Images in a batch.
    std::size_t images = 9;         // Images that count, without the warm-up.
    std::size_t warm_up = 12;       // Batches before the images that count; they repeat the first.
    std::uint64_t classifiers = 9;  // s-CNN stages that a ready fleet has at least.
    std::uint64_t assemblers = 1;   // Collage stages that a ready fleet has at least.
    std::size_t sinks = 1;          // Sinks that a ready fleet has at least; all are asked.
    wire::Duration ready_max{};     // Longest wait for a ready fleet; zero means phase_max.
    wire::Duration phase_max{};     // Longest wait for the next answer, or for an idle fleet.
    wire::Duration probe_every{};   // Interval of status requests while the generator waits.
    // Interval of status requests while images are under way.
    wire::Duration health_every = std::chrono::seconds(1);
    // Times at which on_mark is called, counted from the first image that counts; ascending.
    std::vector<wire::Duration> marks{};

    std::size_t producers() const { return 1 + more.size(); }
    // The link to a sink, by its index.
    std::uint32_t sink_link(std::size_t sink) const {
      return sink == 0 ? kSink : static_cast<std::uint32_t>(kMore + more.size() + sink - 1);
    }
  };
  // Callbacks; all but `image` may be empty.
  struct Listener {
    // Returns the bytes of an image.
    std::function<wire::Payload(std::size_t image)> image;
    // An image that counts has its result.
    std::function<void(const Answer&)> on_answer;
    // All images of a batch, counted from 0, have their results since `at`.
    std::function<void(std::size_t batch, wire::Instant at, wire::Duration latency)> on_batch;
    // The first image that counts is being sent.
    std::function<void(wire::Instant at)> on_begin;
    // The time options.marks[mark] has come.  Not called once all images have their results.
    std::function<void(std::size_t mark, wire::Instant at)> on_mark;
    // A status of the broker has come while images that count are under way.
    std::function<void(wire::Instant at, const Counters& broker)> on_health;
    // Called before each status request while the fleet is not ready.  False means that it never
    // will be, so that the generator gives up at once instead of after ready_max.
    std::function<bool()> may_become_ready{};
  };

  // Batches require options.images to be a multiple of options.slots.  The first producer has the
  // id of `client`; the low halves of the ids of the others follow it.
  LoadGenerator(Options options, producer::Policy client, Listener listener);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  bool finished() const { return phase_ == Phase::finished; }
  // False if the generator was interrupted, the fleet did not become ready, or no answer came for
  // too long.  broker() then shows what the fleet lacked.
  bool completed() const { return finished() && !gave_up_ && !interrupted_; }
  // A Drain has stopped the generator before it had finished.
  bool interrupted() const { return interrupted_; }
  // Images that count and have their results.
  std::size_t answered() const { return answered_; }
  // Of these, the images whose result is an answer.
  std::size_t with_answer() const { return with_answer_; }
  // Whether the broker has restarted since the first image that counts was sent.
  bool broker_restarted() const;
  // When the first image that counts was sent.
  wire::Instant begun() const { return begun_; }
  // The counters of the latest Status of the broker.
  const Counters& broker() const { return broker_; }
  // By how much a monotonic counter rose while images counted: the broker's, that of all sinks.
  std::uint64_t broker_rise(std::string_view name) const;
  std::uint64_t sink_rise(std::string_view name) const;
  std::size_t producers() const { return producers_.size(); }
  const producer::Client& client(std::size_t producer = 0) const {
    return producers_[producer].client;
  }

 private:
  enum class Phase : std::uint8_t {
    readying,
    sending,
    answering,
    idling,
    flowing,
    counting,
    finished
  };
  struct Sent {
    std::size_t image = 0;
    bool counts = false;
    wire::Instant intended;
  };
  struct Producer {
    producer::Client client;
    wire::Priority priority = wire::Priority::normal;
    std::optional<Schedule> schedule;  // Of an open loop.
    wire::Instant due{};               // Time of the next arrival of an open loop.
    wire::RequestId next{1};
    std::map<wire::RequestId, Sent> open{};
  };
  struct Sink {
    Counters now, before;  // Of the latest Status, and of the one before the images that count.
    bool fresh = false;    // A Status has come since the phase asked for one.
  };

  Sink* sink_at(std::uint32_t link);
  void on_status(machine::Peer from, wire::Status status, wire::Instant now);
  void turn(machine::Actions& actions, wire::Instant now);
  wire::Duration phase_max(Phase phase) const;
  bool hopeless(wire::Instant now) const;
  void give_up(wire::Instant now);
  void pass_marks(wire::Instant now);
  void leave_idling();
  void leave_counting(wire::Instant now);
  void submit_batch(wire::Instant now);
  void submit_due(wire::Instant now);
  void submit(std::size_t producer, std::size_t image, bool counts, wire::Instant intended,
              wire::Instant now);
  void collect(wire::Instant now);
  void deliver(std::size_t producer, const Sent& sent, producer::Delivered delivered,
               wire::Instant now);
  void call_clients(machine::Actions& actions, wire::Instant now);
  std::size_t first_due() const;
  bool none_open() const;
  void batch_done(wire::Instant now);
  void ask(machine::Actions& actions, wire::Instant now);
  bool ready() const;
  bool sinks_fresh() const;
  bool idle() const;
  bool asking() const;
  bool watching() const;
  bool warming() const { return batch_ < options_.warm_up; }

  const Options options_;
  const Listener listener_;
  std::vector<Producer> producers_;
  Phase phase_ = Phase::readying;
  Phase timed_ = Phase::readying;  // The phase to which give_up_at_ belongs.
  bool gave_up_ = false;
  bool interrupted_ = false;
  bool broker_fresh_ = false;  // A Status of the broker has come since the phase asked for one.
  bool counted_ = false;       // broker_before_ and those of the sinks have been read.
  std::optional<wire::Instant> give_up_at_;
  wire::Instant probe_at_;
  wire::Instant health_at_;
  std::size_t mark_ = 0;   // Index of the next of options_.marks.
  std::size_t batch_ = 0;  // Batches answered so far, warm-up included.
  std::size_t sent_ = 0;   // Images sent so far that count.
  std::size_t answered_ = 0;
  std::size_t with_answer_ = 0;
  wire::Instant batch_sent_;
  wire::Instant begun_;
  wire::Epoch epoch_;  // The broker's, when the first image that counts was sent.
  Counters broker_, broker_before_;
  std::vector<Sink> sinks_;
};

}  // namespace replay::load
