// The contract between a process of the pipeline and whatever drives it.
//
// Every process is a pure state machine.  A driver (runtime/ with ZeroMQ and the real clock,
// replay/sim with a queue and a virtual clock) tells it what happened and when, and does what it
// is told:
//
//     driver --on_message, on_timeout, on_done(now)--> machine
//     driver <-------------- Actions ----------------- machine
//
// A machine has no sockets, threads, clock or randomness of its own.  `now` never goes back.  At
// any one instant on_timeout comes first, so that a message that ties with a timeout loses.  At
// most one piece of work is under way at a time: a machine asks for the next only after on_done.
#pragma once

#include <compare>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "machine/telemetry.h"
#include "wire/message.h"
#include "wire/types.h"

namespace machine {

// Who a message is from or for: one of the machine's links and, on a link that many peers share,
// the connection.  An id lasts no longer than its connection; processes are named by long ids.
struct Peer {
  std::uint32_t link = 0;
  std::uint64_t id = 0;  // 0 on a link with one peer.
  friend auto operator<=>(const Peer&, const Peer&) = default;
};
// The driver itself, whom a Drain is from.
inline constexpr Peer kLocal{.link = 0xffffffff};

struct Outgoing {
  Peer to;
  wire::Message message;
};

// Decode an encoded image and classify it.  Outcome: Verdict.
struct Classify {
  wire::Payload image;
};
// Decode an encoded image at the size of a tile and put it into its slot of the canvas; an empty
// canvas means a blank one.  Outcome: Pasted.
struct Paste {
  wire::Payload canvas;
  wire::Slot slot = 0;
  wire::Payload image;
};
// Classify every cell of a finished collage that is not blank.  Outcome: Cells.
struct ClassifyCollage {
  wire::Payload picture;
  std::vector<bool> blank;
};
// At most one is under way.  Work that touches a stage's canvas hands the canvas over and gets
// it back, so that no picture is copied.
struct Work {
  wire::WorkId id;
  std::variant<Classify, Paste, ClassifyCollage> job;
};

struct Pasted {
  wire::Payload canvas;  // As handed in if rejected.
  wire::Reason reason =
      wire::Reason::none;  // If not none, the image is rejected and its slot stays blank.
};
struct Cells {
  std::vector<wire::Predictions> cells;  // Empty as a whole if the inference failed.
};
struct Outcome {
  std::variant<wire::Verdict, Pasted, Cells> what;
  wire::Duration compute{};  // The inference alone.
  std::string version;       // Of the model, if one was asked.
};

// Something an operator wants to read; the driver logs it, rate-limited.
struct LogMessage {
  enum class Level : std::uint8_t { info, warning } level = Level::info;
  std::string text;
};

// A step in the life of a request or a batch, for whoever follows one through the processes; the
// driver logs it if asked to, and drops it otherwise.
struct TraceEvent {
  std::string_view what;  // A literal: "admitted", "dispatched".
  wire::BatchId batch;
  std::optional<wire::Slot> slot;             // nullopt: the batch as a whole.
  std::optional<wire::Duration> age{};        // Since admission; of a batch, since it opened.
  std::optional<wire::Duration> batch_age{};  // With "admitted": since its batch opened.
  // What else is known, zero where it is not.
  wire::ProducerId producer{};
  wire::RequestId request{};
  wire::WorkerId worker{};
  wire::Source source = wire::Source::none;
};

struct Actions {
  std::vector<Outgoing> messages;  // In order.
  std::vector<LogMessage> logs;
  std::vector<TraceEvent> traces;
  std::optional<Work> work;
  bool finished = false;  // Drained: the driver may stop.

  void send(Peer to, wire::Message message) { messages.push_back({to, std::move(message)}); }
  void log(LogMessage::Level level, std::string text) { logs.push_back({level, std::move(text)}); }
  // Appends what `more` asks for; at most one of the two may ask for work.
  void append(Actions more) {
    messages.insert(messages.end(), std::make_move_iterator(more.messages.begin()),
                    std::make_move_iterator(more.messages.end()));
    logs.insert(logs.end(), std::make_move_iterator(more.logs.begin()),
                std::make_move_iterator(more.logs.end()));
    traces.insert(traces.end(), more.traces.begin(), more.traces.end());
    if (more.work) work = std::move(more.work);
    finished = finished || more.finished;
  }
};

class Machine {
 public:
  virtual ~Machine() = default;

  virtual Actions on_message(Peer from, wire::Message message, wire::Instant now) = 0;
  // Does what is due at `now`; harmless if nothing is.
  virtual Actions on_timeout(wire::Instant now) = 0;
  // The work asked for last is done.
  virtual Actions on_done(wire::WorkId work, Outcome outcome, wire::Instant now) = 0;
  // When on_timeout next has work to do; nullopt while nothing waits.  A new machine is due at
  // once: it says hello.
  virtual std::optional<wire::Instant> next_timeout() const = 0;
  // Its figures, and whether it is ready; changes nothing.
  virtual Telemetry telemetry() const { return {}; }
};

}  // namespace machine
