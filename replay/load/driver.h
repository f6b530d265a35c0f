// The producer of an experiment: sends images as its arrivals say, and tells what came of each.
//
//     wait until the fleet is ready
//     warm up: batches that do not count, on an idle fleet, until service times have been learned
//     ask broker and sink for their counters
//     idle_batches   submit N at once -> N results -> ask the broker until no stage is busy -> next
//     busy_batches   submit N at once -> N results -> next
//     open loop      submit as scheduled, whatever is open
//     ask broker and sink for their counters, finish
//
// Latency counts from the intended send, so that a stall of the driver or of the pipeline is not
// hidden (coordinated omission).  A pure machine around producer::Client: experiments on real
// processes and in virtual time run this same object.
//
//   link kBroker (DEALER)  as producer::Client, and Probe -> broker, Status <- broker
//   link kSink   (DEALER)  Probe -> sink, Status <- sink
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "producer/client.h"
#include "replay/load/arrivals.h"

namespace replay::load {

using Counters = std::map<std::string, std::uint64_t>;

// What became of one image.
struct Answer {
  std::size_t image = 0;  // In the order of sending; warm-up images are not told of.
  wire::Instant at;       // When it was delivered.
  wire::Duration latency{};
  wire::Result result;
  bool local = false;  // The client's own word, not the broker's.
};

class Driver : public machine::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kSink = 1;

  struct Options {
    Arrivals arrivals;
    std::uint64_t seed = 1;         // Of the arrivals.
    std::size_t slots = 9;          // Images a batch.
    std::size_t images = 9;         // That count.
    std::size_t warm_up = 12;       // Batches before them; their images are those of the beginning.
    std::uint64_t classifiers = 9;  // The fleet is ready with so many, and a sink,
    std::uint64_t assemblers = 1;   // and so many collage stages.
    wire::Duration phase_max{};     // To be ready, to be answered, to be idle: each.
    wire::Duration probe_every{};   // While waiting for the fleet.
    wire::Duration health_every = std::chrono::seconds(1);
    std::vector<wire::Duration> marks{};  // After the first image that counts; not falling.
  };
  // Who is told; all but `image` may be empty.
  struct Listener {
    std::function<wire::Payload(std::size_t image)> image;
    std::function<void(const Answer&)> on_answer;
    // A batch, counting from 0, was answered at `at`.
    std::function<void(std::size_t batch, wire::Instant at, wire::Duration latency)> on_batch;
    // The first image that counts is sent.
    std::function<void(wire::Instant at)> on_begin;
    // The time of options.marks[mark] has come; not told of once all images are answered.
    std::function<void(std::size_t mark, wire::Instant at)> on_mark;
    // What the broker says of itself, while images that count are under way.
    std::function<void(wire::Instant at, const Counters& broker)> on_health;
  };

  // Batches require options.images to be a multiple of options.slots.
  Driver(Options options, producer::Policy client, Listener listener);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  bool finished() const { return phase_ == Phase::finished; }
  // False if the fleet was not ready, or stood still; what it lacked is in broker().
  bool completed() const { return finished() && !gave_up_ && !interrupted_; }
  // It was told to stop before it had finished.
  bool interrupted() const { return interrupted_; }
  // Images that count and have been answered.
  std::size_t answered() const { return answered_; }
  // When the first image that counts was sent.
  wire::Instant begun() const { return begun_; }
  // As last told.
  const Counters& broker() const { return broker_; }
  const Counters& sink() const { return sink_; }
  // How far a rising counter rose while images counted.
  std::uint64_t broker_rise(const std::string& name) const;
  std::uint64_t sink_rise(const std::string& name) const;
  const producer::Client& client() const { return client_; }

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

  void on_status(machine::Peer from, const wire::Status& status, wire::Instant now);
  void turn(machine::Actions& actions, wire::Instant now);
  void give_up(wire::Instant now);
  void pass_marks(wire::Instant now);
  void leave_idling();
  void leave_counting(wire::Instant now);
  void submit_batch(wire::Instant now);
  void submit_due(wire::Instant now);
  void submit(std::size_t image, bool counts, wire::Instant intended, wire::Instant now);
  void collect(wire::Instant now);
  void deliver(const Sent& sent, producer::Delivered delivered, wire::Instant now);
  void batch_done(wire::Instant now);
  void ask(machine::Actions& actions, wire::Instant now);
  bool ready() const;
  bool idle() const;
  bool asking() const;
  bool watching() const;
  bool warming() const { return batch_ < options_.warm_up; }

  const Options options_;
  producer::Client client_;
  const Listener listener_;
  std::optional<Schedule> schedule_;
  Phase phase_ = Phase::readying;
  Phase timed_ = Phase::readying;  // The phase that give_up_at_ is for.
  bool gave_up_ = false;
  bool interrupted_ = false;
  bool broker_fresh_ = false;  // A Status came since last asked.
  bool sink_fresh_ = false;
  bool counted_ = false;  // What is before the images that count has been read.
  std::optional<wire::Instant> give_up_at_;
  wire::Instant probe_at_;
  wire::Instant health_at_;
  std::size_t mark_ = 0;   // The next of options_.marks.
  wire::Instant due_;      // The next arrival of an open loop.
  std::size_t batch_ = 0;  // Sent so far, warm-up included.
  std::size_t sent_ = 0;   // Images that count.
  std::size_t answered_ = 0;
  wire::Instant batch_sent_;
  wire::Instant begun_;
  wire::RequestId next_{1};
  std::map<wire::RequestId, Sent> open_;
  Counters broker_, sink_, broker_before_, sink_before_;
};

}  // namespace replay::load
