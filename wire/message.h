// Every message of the pipeline, decoded.
//
//   producer  --ProducerHello, Submit, Cancel-->             broker
//   broker    --Welcome, Refuse, Result, Correction-->       producer
//   stage     --WorkerHello, Ready-->               broker  --Welcome, Refuse, Assign--> stage
//   assembler (also)                                broker  --Seal, Drop-->              assembler
//   assembler --CollageTask-->  collage-CNN         collage-CNN --WorkerHello, Ready-->  assembler
//   stage, assembler --Answer--> sink               collage-CNN --CollageAnswer-->       sink
//   sink      --WorkerHello, Settled, Corrected, Service-->  broker
//   broker    --Welcome, Opened, Sealed, Closed-->           sink
//   observer  --Probe-->  broker, sink              broker, sink --Status--> observer
//
// Messages carry ages and remaining times, never instants: two hosts' clocks do not compare.
// docs/WIRE.md holds the grammar and a worked example of each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wire/payload.h"
#include "wire/reason.h"
#include "wire/types.h"

namespace wire {

// Sent first in every message; peers of another version refuse each other at the hello.
inline constexpr std::uint32_t kProtocol = 2;

enum class Role : std::uint8_t { classifier = 1, assembler = 2, collage = 3, sink = 4 };
enum class Source : std::uint8_t { none = 0, single = 1, collage = 2, hedge = 3 };
enum class ResultStatus : std::uint8_t {
  answered = 0,
  missing = 1,
  rejected = 2,
  refused = 3,
  cancelled = 4
};

std::string_view to_string(Role role);
std::string_view to_string(Source source);
std::string_view to_string(ResultStatus status);

struct Prediction {
  ClassId label;
  float probability = 0;  // 0..1, as the model's manifest calibrates it.
  friend bool operator==(const Prediction&, const Prediction&) = default;
};
// The k most probable classes, best first; empty means 'no answer'.
using Predictions = std::vector<Prediction>;

struct NamedPrediction {
  std::string name;
  Prediction prediction;
  friend bool operator==(const NamedPrediction&, const NamedPrediction&) = default;
};

// What one network said of one picture: predictions, or why it could not say.
struct Verdict {
  Predictions predictions;
  Reason reason = Reason::none;  // If not none, the picture is rejected.
};

// What a stage serves.  Two stages may share a pipeline only if their labels agree.
struct Model {
  std::uint64_t labels_hash = 0;  // labels_hash() of the class names in order.
  std::uint8_t grid = 0;          // Tiles a side; 0 for a single-image model.
  std::string version;            // At most kVersionMax bytes.
  friend bool operator==(const Model&, const Model&) = default;
};
inline constexpr std::size_t kVersionMax = 32;
std::uint64_t labels_hash(const std::vector<std::string>& names);

// --- joining ---

struct ProducerHello {
  ProducerId producer;
  bool corrections = false;  // Whether it wants them.
};
// Also the sink's and, to its assembler, the collage-CNN's.
struct WorkerHello {
  WorkerId worker;
  Role role = Role::classifier;
  Model model;
  std::uint32_t capacity = 0;  // Tasks it takes at once (an assembler: batches); 0 for a sink.
};
struct Welcome {
  Epoch epoch;
  Duration heartbeat{};      // Say something at least this often.
  std::uint32_t credit = 0;  // Open requests a producer may have.
  std::uint64_t image_bytes_max = 0;
  Duration deadline_max{};
  Duration correction_window{};  // A correction follows its result within this, or never.
};
// Ends a conversation: the peer is not served as it is.
struct Refuse {
  Reason reason = Reason::none;
  std::uint32_t protocol = kProtocol;  // The sender's version.
};

// --- producer and broker ---

struct Submit {
  RequestId request;
  Duration remaining{};  // Until its deadline; 0 for the pipeline's own.
  Payload image;
};
struct Result {
  RequestId request;
  ResultStatus status = ResultStatus::missing;
  Source source = Source::none;
  Reason reason = Reason::none;
  Duration latency{};                        // Admission to answer, by the broker's clock.
  Duration retry_after{};                    // With `refused`: a hint.
  std::vector<NamedPrediction> predictions;  // With `answered`: best first.
  std::string version;                       // Of the model that answered.
};
// The producer does not want an answer to this open request any more.
struct Cancel {
  RequestId request;
};
// A single answer came after the collage's had been sent, and its top class is another.
struct Correction {
  RequestId request;
  Source source = Source::single;            // Or hedge.
  Duration latency{};                        // Admission to here, by the broker's clock.
  std::vector<NamedPrediction> predictions;  // Best first.
  std::string version;                       // Of the model that answered.
};

// --- broker and stages ---

// Credit.  `seen` is the highest sequence that has arrived, `held` those not yet done: what lies
// at or below `seen` and is not held is done or was lost, and either way is not in the stage.
struct Ready {
  Sequence seen;
  std::vector<Sequence> held;
  bool leaving = false;  // Takes no further tasks.
};
// To a classifier: one task.  To an assembler: one image of the batch that `sequence` counts.
struct Assign {
  Sequence sequence;  // Rises with every task of the broker's life; an assembler's slots share one.
  BatchId batch;
  Slot slot = 0;
  bool hedge = false;
  Duration age{};        // Since admission.
  Duration remaining{};  // Until the deadline.
  Payload image;
};
// The batch has closed with `filled` images; slots from there on are blank.
struct SealCollage {
  BatchId batch;
  Slot filled = 0;
};
// Every slot of the batch is settled: nothing more of it is wanted.
struct DropCollage {
  BatchId batch;
};
// `host` is the assembler's own epoch, and `sequence` rises within it.
struct CollageTask {
  Epoch host;
  Sequence sequence;
  BatchId batch;
  std::vector<bool> blank;  // A flag a slot.
  Duration age{};           // Since the batch opened.
  Payload picture;          // Interleaved 8-bit pixels of the whole collage.
};
struct Answer {
  BatchId batch;
  Slot slot = 0;
  WorkerId worker;
  bool hedge = false;
  Duration age{};      // Since admission, when sent.
  Duration compute{};  // Inference alone.
  Verdict verdict;
  std::string version;
};
struct CollageAnswer {
  BatchId batch;
  WorkerId worker;
  Duration age{};                  // Since the batch opened, when sent.
  Duration compute{};              // Inference alone.
  std::vector<Predictions> cells;  // One a slot; empty means no answer.
  std::string version;
};

// --- broker and sink ---

struct BatchOpened {
  BatchId batch;
  Slot slots = 0;
  Duration age{};        // Since the batch opened.
  bool covered = false;  // Whether a collage is being made of it.
};
// Closes a batch; `ages` holds the age since admission of each filled slot, in order.
struct BatchSealed {
  BatchId batch;
  std::vector<Duration> ages;
};
struct BatchSettled {
  BatchId batch;
};
// The sink's choice for one slot.
struct SlotSettled {
  BatchId batch;
  Slot slot = 0;
  Source source = Source::none;
  Verdict verdict;
  std::string version;
};
// A single answer for a slot that the sink had settled from the collage, whose top class is
// another.
struct Disagreement {
  BatchId batch;
  Slot slot = 0;
  Source source = Source::none;
  Predictions predictions;
  std::string version;
};
// What the sink has learned; zero where it has not learned yet.
struct ServiceTimes {
  Duration patience{};
  Duration p95{};
  Duration p99{};
  Duration budget{};  // The quantile whose hedges cost as much as a collage.
};

// --- observers ---

struct StatusRequest {};
struct Counter {
  std::string name;
  std::uint64_t value = 0;
  friend bool operator==(const Counter&, const Counter&) = default;
};
struct Status {
  std::vector<Counter> counters;
};

// --- local: made by the driver, never on the wire ---

// The last message to this peer could not be delivered.
struct Undelivered {
  enum class Why : std::uint8_t { unroutable, blocked } why = Why::unroutable;
};
// The peer sent something that is no message.
struct Undecodable {
  Reason reason = Reason::bad_message;
};
// Finish what is open, take nothing new, then say so by Actions::finished.
struct Drain {};

using Message =
    std::variant<ProducerHello, WorkerHello, Welcome, Refuse, Submit, Result, Ready, Assign,
                 SealCollage, DropCollage, CollageTask, Answer, CollageAnswer, BatchOpened,
                 BatchSealed, BatchSettled, SlotSettled, ServiceTimes, StatusRequest, Status,
                 Cancel, Correction, Disagreement, Undelivered, Undecodable, Drain>;
inline constexpr std::size_t kWireMessages = 23;  // Those before the local ones.

// The name of a message's kind, as docs/WIRE.md and the logs have it.
std::string_view kind(const Message& message);

}  // namespace wire
