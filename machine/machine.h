// The contract between a process of the pipeline and its driver.
//
// Every process is a pure state machine.  A driver (runtime/ with ZeroMQ and the real clock,
// replay/sim with a queue and a virtual clock) passes in what happened and when, and carries out
// the actions that the machine returns:
//
//     driver --on_message, on_timeout, on_done(now)--> machine
//     driver <-------------- Actions ----------------- machine
//
// A machine has no sockets, threads, clock or randomness of its own.  `now` never goes back.  At
// any one instant the driver calls on_timeout first, so a message that ties with a timeout loses.
// At most one piece of work is under way at a time: a machine asks for the next one only in or
// after on_done.
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

// The sender or receiver of a message: one of the machine's links and a connection on this link.
// An id lasts no longer than its connection; processes have long ids of their own.
struct Peer {
  std::uint32_t link = 0;
  std::uint64_t id = 0;  // The connection; 0 on a link with only one peer.
  friend auto operator<=>(const Peer&, const Peer&) = default;
};
// The driver itself, the sender of Drain.
inline constexpr Peer kLocal{.link = 0xffffffff};

struct Outgoing {
  Peer to;
  wire::Message message;
};

// Decode encoded images and classify them in one inference.  Outcome: Verdict, with the outcomes of
// `more` in Outcome::more.
struct Classify {
  wire::Payload image;
  std::vector<wire::Payload> more{};
};
// Decode an encoded image at the size of a tile and paste it into its slot of the canvas; an empty
// `canvas` stands for a blank one.  Outcome: Pasted.
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
// A computation that a machine asks for; at most one is under way.  Work on a stage's canvas moves
// the canvas to the driver and back, so that no picture is copied.
struct Work {
  wire::WorkId id;
  std::variant<Classify, Paste, ClassifyCollage> job;
};

struct Pasted {
  wire::Payload canvas;  // The canvas with the image, or unchanged if the image is rejected.
  // Why the image is rejected and its slot stays blank; none if it was pasted.
  wire::Reason reason = wire::Reason::none;
  bool failed = false;  // The slot stays blank, but not for a fault of the image.
};
struct Cells {
  std::vector<wire::Predictions> cells;  // One element per slot; empty if the inference failed.
};
struct Outcome {
  std::variant<wire::Verdict, Pasted, Cells> what;
  wire::Duration compute{};     // Time of the inference alone; of several images each one's share.
  std::string version;          // Version of the model that was used; empty if none was.
  std::vector<Outcome> more{};  // One for each of Classify::more, in order.
};

// A message for the operator; the driver logs it up to a rate limit.
struct LogMessage {
  enum class Level : std::uint8_t { info, warning } level = Level::info;
  std::string text;
};

// A step in the life of a request or a batch.  The driver logs it if it is configured to, and drops
// it otherwise; `collage-replay trace` merges the logs of all processes.
struct TraceEvent {
  std::string_view what;  // The step as a string literal: "admitted", "dispatched".
  wire::BatchId batch;
  std::optional<wire::Slot> slot;       // nullopt for the batch as a whole, and without a batch.
  std::optional<wire::Duration> age{};  // Time since admission; of a batch since it opened.
  // Only with "admitted" and "placed": time since the batch opened.
  std::optional<wire::Duration> batch_age{};
  // Each of these is zero where it is not known.
  wire::ProducerId producer{};
  wire::RequestId request{};
  wire::WorkerId worker{};
  wire::Source source = wire::Source::none;
};

struct Actions {
  std::vector<Outgoing> messages;  // Messages to send, in this order.
  std::vector<LogMessage> logs;
  std::vector<TraceEvent> traces;
  std::optional<Work> work;
  bool finished = false;  // True if the machine is drained, so that the driver may stop.

  void send(Peer to, wire::Message message) { messages.push_back({to, std::move(message)}); }
  void log(LogMessage::Level level, std::string text) { logs.push_back({level, std::move(text)}); }
  // Appends the actions of `more`; at most one of the two may ask for work.
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
  // Does what is due at `now`; does nothing if nothing is due.
  virtual Actions on_timeout(wire::Instant now) = 0;
  // Called when the work that the machine asked for last is done.
  virtual Actions on_done(wire::WorkId work, Outcome outcome, wire::Instant now) = 0;
  // When on_timeout next has something to do; nullopt while nothing is scheduled.  A new client or
  // worker is due at once, because it must send its hello.
  virtual std::optional<wire::Instant> next_timeout() const = 0;
  // The machine's metrics, and why it is not ready; changes nothing.
  virtual Telemetry telemetry() const { return {}; }
};

}  // namespace machine
