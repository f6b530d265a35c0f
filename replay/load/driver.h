// Batch after batch on an idle fleet, live: the producer of the published experiment.
//
//     wait until the fleet is ready
//     warm up: batches that do not count, until service times have been learned
//     per batch: submit N at once -> N results -> ask the broker until no stage is busy
//     ask broker and sink for their counters, finish
//
// Latency counts from the send.  A pure machine around producer::Client, so that a test drives it
// without a clock:
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

#include "producer/client.h"
#include "wire/machine.h"

namespace replay::live {

using Counters = std::map<std::string, std::uint64_t>;

class BatchDriver : public wire::Machine {
 public:
  static constexpr std::uint32_t kBroker = 0;
  static constexpr std::uint32_t kSink = 1;

  struct Options {
    std::size_t slots = 9;          // Images a batch.
    std::size_t warm_up = 12;       // Batches before those that count; they reuse the images.
    std::uint64_t classifiers = 9;  // The fleet is ready with so many, and a sink,
    std::uint64_t assemblers = 1;   // and so many collage stages.
    wire::Duration phase_max{};     // To be ready, to be answered, to be idle: each.
    wire::Duration probe_every{};   // While waiting for the fleet.
  };
  // What became of one image.
  struct Record {
    std::size_t image = 0;  // Index into `images`.
    std::size_t batch = 0;  // Counting from 0; warm-up batches are not recorded.
    wire::Duration latency{};
    wire::Result result;
  };

  // Requires images.size() to be a multiple of options.slots.
  BatchDriver(Options options, producer::Policy client, std::vector<wire::Payload> images,
              std::function<void(std::size_t done)> on_batch);

  wire::Actions on_message(wire::Peer from, wire::Message message, wire::Instant now) override;
  wire::Actions on_timeout(wire::Instant now) override;
  wire::Actions on_done(wire::WorkId work, wire::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  // False if the fleet was not ready, or stood still; what it lacked is in broker().
  bool completed() const { return phase_ == Phase::finished && !gave_up_ && !interrupted_; }
  // It was told to stop before it had finished.
  bool interrupted() const { return interrupted_; }
  const std::vector<Record>& records() const { return records_; }
  const std::vector<wire::Duration>& batch_latencies() const { return batches_; }
  // As last told; of the counted part alone where a counter rises.
  const Counters& broker() const { return broker_; }
  const Counters& sink() const { return sink_; }
  // A rising counter of the broker or the sink, less what it was when counting began.
  std::uint64_t counted(const Counters& now, const Counters& before, const std::string& name) const;
  const Counters& broker_before() const { return broker_before_; }
  const Counters& sink_before() const { return sink_before_; }
  const producer::Client& client() const { return client_; }

 private:
  enum class Phase : std::uint8_t { readying, sending, answering, idling, counting, finished };

  void on_status(wire::Peer from, const wire::Status& status, wire::Instant now);
  void turn(wire::Actions& actions, wire::Instant now);
  void submit(wire::Instant now);
  void collect(wire::Instant now);
  bool ready() const;
  bool idle() const;
  std::uint64_t value(const Counters& counters, const char* name) const;
  bool warming() const { return batch_ < options_.warm_up; }

  const Options options_;
  producer::Client client_;
  const std::vector<wire::Payload> images_;
  const std::function<void(std::size_t)> on_batch_;
  Phase phase_ = Phase::readying;
  Phase timed_ = Phase::readying;  // The phase that give_up_at_ is for.
  bool gave_up_ = false;
  bool interrupted_ = false;
  bool broker_fresh_ = false;  // A Status came since last asked.
  bool sink_fresh_ = false;
  std::optional<wire::Instant> give_up_at_;
  wire::Instant probe_at_;
  std::size_t batch_ = 0;  // Sent so far, warm-up included.
  std::size_t open_ = 0;   // Requests of the present batch.
  wire::Instant sent_;
  wire::RequestId next_{1};
  std::map<wire::RequestId, std::size_t> image_of_;
  std::vector<Record> records_;
  std::vector<wire::Duration> batches_;
  Counters broker_, sink_, broker_before_, sink_before_;
};

}  // namespace replay::live
