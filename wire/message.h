// All messages of the pipeline as structs.
//
//   from              message                                                  to
//   producer          ProducerHello, Submit, Cancel                            broker
//   broker            Welcome, Refuse, Result, Correction                      producer
//   stage             WorkerHello, Ready                                       broker
//   broker            Welcome, Refuse, Assign                                  stage
//   broker            Withdraw                                                 classifier
//   broker            Redirect                                                 stage
//   broker            SealCollage, DropCollage                                 assembler
//   collage-CNN       WorkerHello, Ready                                       assembler
//   assembler         Welcome, Refuse, CollageTask, Redirect                   collage-CNN
//   stage, assembler  Answer                                                   sink
//   assembler         CollagePicture                                           sink
//   collage-CNN       CollageAnswer                                            sink
//   sink              WorkerHello, Ready, SlotSettled, Disagreement, ServiceTimes  broker
//   broker            Welcome, Refuse, BatchOpened, BatchSealed, BatchSettled  sink
//   broker            WorkerStates, Status (unasked)                           sink
//   anyone            StatusRequest                                            broker, sink
//   broker, sink      Status                                                   anyone
//
// Messages carry ages and remaining times, never instants: the clocks of two hosts do not compare.
// docs/WIRE.md has the grammar and a worked example of each message.
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

// The protocol version, the first field of every message.  Broker and sink still serve producers
// and observers of kProtocolMin and later; all other peers of different versions refuse each other
// at the hello.  Machines know nothing of versions: the codec fills in and leaves out what an older
// version does not have (fields.h).
inline constexpr std::uint32_t kProtocol = 4;
inline constexpr std::uint32_t kProtocolMin = 2;

enum class Role : std::uint8_t { classifier = 1, assembler = 2, collage = 3, sink = 4 };
enum class Source : std::uint8_t { none = 0, single = 1, collage = 2, hedge = 3 };
enum class ResultStatus : std::uint8_t {
  answered = 0,
  missing = 1,
  rejected = 2,
  refused = 3,
  cancelled = 4,
  superseded = 5
};
enum class Priority : std::uint8_t { low = 0, normal = 1, high = 2 };

std::string_view to_string(Role role);
std::string_view to_string(Source source);
std::string_view to_string(ResultStatus status);
std::string_view to_string(Priority priority);

// What the broker knows of a stage, from the one that needs attention least to the one that needs
// it most.
enum class WorkerState : std::uint8_t {
  ready = 1,      // It answers as quickly as the others.
  idle = 2,       // It has had no task for a while.
  leaving = 3,    // It asked for no further tasks.
  suspect = 4,    // Its oldest task is older than usual.
  probation = 5,  // Its last tasks were slow; it gets only probes.
  lost = 6        // It is not served any more.
};
// By what the broker saw that a stage was lost.
enum class LossCause : std::uint8_t {
  none = 0,        // It is not lost.
  silence = 1,     // It had no task and sent nothing for several heartbeats.
  connection = 2,  // Its connection failed.
  task_age = 3     // It held a task for longer than `task_age_max`.
};

std::string_view to_string(WorkerState state);
std::string_view to_string(LossCause cause);

struct Prediction {
  ClassId label;
  float probability = 0;  // 0..1, calibrated as the model's manifest says.
  friend bool operator==(const Prediction&, const Prediction&) = default;
};
// The k most probable classes, the best first; empty means 'no answer'.
using Predictions = std::vector<Prediction>;

struct NamedPrediction {
  std::string name;
  Prediction prediction;
  friend bool operator==(const NamedPrediction&, const NamedPrediction&) = default;
};

// The answer of one network for one picture: predictions, or the reason why there are none.
struct Verdict {
  Predictions predictions;
  Reason reason = Reason::none;  // The reason of the rejection; none if there is no rejection.
};

// The model of a stage.  Two stages may share a pipeline only if their labels agree.
struct Model {
  std::uint64_t labels_hash = 0;  // labels_hash() of the class names in order.
  std::uint8_t grid = 0;          // Tiles per side of the collage; 0 for a single (manifest: 1).
  std::string version;            // The version in the manifest, at most kVersionMax bytes.
  friend bool operator==(const Model&, const Model&) = default;
};
inline constexpr std::size_t kVersionMax = 32;
std::uint64_t labels_hash(const std::vector<std::string>& names);

// Where a process runs, for the people who look for it.  What is not known is empty or 0.
struct Location {
  std::string host;         // The host's name, at most kHostMax bytes.
  std::string unit;         // The systemd unit that runs it, at most kUnitMax bytes.
  std::uint32_t index = 0;  // Which of its kind in its pipeline, as `--index` gave it.
  std::uint32_t pid = 0;    // The process id on its host.
  friend bool operator==(const Location&, const Location&) = default;
};
inline constexpr std::size_t kHostMax = 64;
inline constexpr std::size_t kUnitMax = 96;

// --- joining ---

struct ProducerHello {
  ProducerId producer;
  bool corrections = false;  // True if the producer asks for corrections.
};
// The hello of a stage and of a sink to the broker, and of a collage-CNN to its assembler.
struct WorkerHello {
  WorkerId worker;
  Role role = Role::classifier;
  Model model;
  std::uint32_t capacity = 0;  // Tasks that fit at once (an assembler: batches); 0 for a sink.
  Location location{};
  SinkIndex sink = 0;  // Of a sink: which one it is.
};
struct Welcome {
  Epoch epoch;
  Duration heartbeat{};               // An idle receiver must send a message at least this often.
  std::uint32_t credit = 0;           // Open requests that the producer may have.
  std::uint64_t image_bytes_max = 0;  // The largest image that a Submit may carry.
  Duration deadline_max{};            // The longest deadline of a request.
  Duration correction_window{};       // The time after a result in which a correction may come.
};
// The sender does not serve the receiver, for the given reason, until it says hello again.
struct Refuse {
  Reason reason = Reason::none;
  std::uint32_t protocol = kProtocol;  // The sender's version.
};

// --- producer and broker ---

struct Submit {
  RequestId request;
  Duration remaining{};  // Time until the request's deadline; 0 for the pipeline's default.
  Payload image;
  Priority priority = Priority::normal;
  // The number of a stream of frames of this producer; 0: none.  A newer frame of the stream
  // supersedes the older ones that still wait.
  std::uint64_t latest = 0;
};
struct Result {
  RequestId request;
  ResultStatus status = ResultStatus::missing;
  Source source = Source::none;
  Reason reason = Reason::none;
  Duration latency{};                        // Time from admission to answer at the broker.
  Duration retry_after{};                    // With `refused`: a hint when to retry.
  std::vector<NamedPrediction> predictions;  // With `answered`: the best first.
  std::string version;                       // The version of the model that answered.
  // True if the answer is a collage's because the pipeline was overloaded: no single answer had
  // been asked for.
  bool brownout = false;
};
// The producer withdraws an open request.
struct Cancel {
  RequestId request;
};
// A single answer that came after the collage's had been sent, and that has another top class.
struct Correction {
  RequestId request;
  Source source = Source::single;            // The source of the late answer: single or hedge.
  Duration latency{};                        // Time from admission to this message at the broker.
  std::vector<NamedPrediction> predictions;  // The late answer, the best class first.
  std::string version;                       // The version of the model that answered late.
};

// --- broker and stages ---

// A worker's report to the process that gives it tasks, which computes the worker's credit from it.
// The worker has none of the tasks up to `seen` but those in `held`: the others are done or lost.
struct Ready {
  Sequence seen;               // The highest sequence that has arrived.
  std::vector<Sequence> held;  // The tasks that have arrived and are not done.
  bool leaving = false;        // True if the worker takes no further tasks.
};
// To a classifier: one task.  To an assembler: one image of the batch that `sequence` counts.
struct Assign {
  Sequence sequence;  // Rises with every task of the broker's life; one per batch at an assembler.
  BatchId batch;
  Slot slot = 0;
  bool hedge = false;
  Duration age{};        // Time since the image was admitted.
  Duration remaining{};  // Time until the request's deadline.
  Payload image;
  SinkIndex sink = 0;  // The sink that joins the answers of the batch.
};
// From here on sink `to` joins the answers of all batches that sink `from` joined; both are the
// same if it has restarted.  The receiver sends again, to `to`, what `from` got of its answers to
// the batch `oldest` and later ones.
struct Redirect {
  SinkIndex from = 0;
  SinkIndex to = 0;
  BatchId oldest;  // No batch before it is open.
};
// The classifier takes this task back out of its queue, unless it has begun.
struct Withdraw {
  Sequence sequence;
};
// The batch is sealed with `filled` images; the slots from `filled` on are blank.
struct SealCollage {
  BatchId batch;
  Slot filled = 0;
};
// Every slot of the batch is settled, so the assembler can drop the batch.
struct DropCollage {
  BatchId batch;
};
// A finished collage for the collage-CNN.
struct CollageTask {
  Epoch epoch;        // The assembler's.
  Sequence sequence;  // Rises with every task within that epoch.
  BatchId batch;
  std::vector<bool> blank;  // One flag per slot: true if the slot is blank.
  Duration age{};           // Time since the batch opened.
  Duration remaining{};     // Time until the last deadline of its images.
  Payload picture;          // The pixels of the whole collage, 8 bits per sample, interleaved.
  SinkIndex sink = 0;       // The sink that joins the answers of the batch.
};
struct Answer {
  BatchId batch;
  Slot slot = 0;
  WorkerId worker;
  bool hedge = false;
  Duration age{};      // Time from the admission of the image to the sending of this message.
  Duration compute{};  // Time of the inference alone.
  Verdict verdict;
  std::string version;
  Duration service{};  // Time from the arrival of the task at the stage to the sending.
};
struct CollageAnswer {
  BatchId batch;
  WorkerId worker;
  Duration age{};                  // Time from the opening of the batch to the sending.
  Duration compute{};              // Time of the inference alone.
  std::vector<Predictions> cells;  // The predictions for each slot; empty means no answer.
  std::string version;
  Duration service{};  // Time from the arrival of the collage at the collage-CNN to the sending.
};

// A finished collage to be shown to people; sent only if the configuration asks for it.
struct CollagePicture {
  BatchId batch;
  std::uint32_t width = 0, height = 0;  // In pixels.
  std::uint32_t channels = 0;           // 1 (grey) or 3 (RGB).
  Payload picture;                      // The pixels, 8 bits per sample, interleaved.
};

// --- broker and sink ---

struct BatchOpened {
  BatchId batch;
  Slot slots = 0;
  Duration age{};        // Time since the batch opened.
  bool covered = false;  // True if an assembler makes a collage of the batch.
};
// The batch is sealed.
struct BatchSealed {
  BatchId batch;
  std::vector<Duration> ages;  // Time since admission of each filled slot, in order of slot.
  // True if no single answer has been asked for any slot, so that the collage's answer need not
  // wait for patience.
  bool collage_only = false;
};
// Every slot of the batch is settled.
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
// A single answer for a slot that the sink has settled from the collage, with another top class
// than the collage's.
struct Disagreement {
  BatchId batch;
  Slot slot = 0;
  Source source = Source::none;
  Predictions predictions;
  std::string version;
};
// What the sink has learned from single answers: the patience, and quantiles of their ages, which
// count from admission, and service times.  A value that it has not learned yet is zero.
struct ServiceTimes {
  Duration patience{};
  Duration p95{};     // Of ages.
  Duration p99{};     // Of service times.
  Duration budget{};  // The quantile of ages at which hedges cost as much work as the collages.
};

// What the broker knows of one stage.  Times are those of the broker's clock; 0: not known.
struct WorkerReport {
  WorkerId worker;
  Role role = Role::classifier;
  Model model;
  Location location;
  WorkerState state = WorkerState::ready;
  LossCause cause = LossCause::none;
  Duration since{};            // Time in this state.
  Duration heard{};            // Time since its last message.
  std::uint32_t tasks = 0;     // Tasks (an assembler: batches) given and not done.
  std::uint32_t capacity = 0;  // Tasks that fit at once.
  Duration oldest_task{};      // The age of the oldest of these tasks.
  Duration service_median{};   // Over its last five tasks.
  Duration service_usual{};    // The usual median of the workers of its role.
  Duration next_probe{};       // On probation: time until a probe may be sent.
};
// The broker's list of its stages, once a heartbeat.  A long list comes in several messages, of
// which each says how many reports went before and how many the whole list has.
struct WorkerStates {
  std::uint32_t first = 0;
  std::uint32_t total = 0;
  std::vector<WorkerReport> workers;
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
// The peer sent something that cannot be decoded as a message.
struct Undecodable {
  Reason reason = Reason::bad_message;
};
// The peer, whose ProducerHello comes next, has proven to own a key of this name.
struct Authenticated {
  std::string key_name;
};
// The machine must finish what is open, take nothing new, and then set Actions::finished.
struct Drain {};

using Message =
    std::variant<ProducerHello, WorkerHello, Welcome, Refuse, Submit, Result, Ready, Assign,
                 SealCollage, DropCollage, CollageTask, Answer, CollageAnswer, BatchOpened,
                 BatchSealed, BatchSettled, SlotSettled, ServiceTimes, StatusRequest, Status,
                 Cancel, Correction, Disagreement, Withdraw, WorkerStates, CollagePicture, Redirect,
                 Undelivered, Undecodable, Authenticated, Drain>;
inline constexpr std::size_t kWireMessages = 27;  // The number of messages before the local ones.

// Returns the name of a message's kind, as in docs/WIRE.md and in the logs.
std::string_view kind(const Message& message);

}  // namespace wire
