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

#include "wire/message.h"
#include "wire/report.h"
#include "wire/types.h"

namespace wire {

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
  Message message;
};

// Decode an encoded image and classify it.  Outcome: Verdict.
struct Classify {
  Payload image;
};
// Decode an encoded image at the size of a tile and put it into its slot of the canvas; an empty
// canvas means a blank one.  Outcome: Pasted.
struct Paste {
  Payload canvas;
  Slot slot = 0;
  Payload image;
};
// Classify every cell of a finished collage that is not blank.  Outcome: Cells.
struct ClassifyCollage {
  Payload picture;
  std::vector<bool> blank;
};
// At most one is under way.  Work that touches a stage's canvas hands the canvas over and gets
// it back, so that no picture is copied.
struct Work {
  WorkId id;
  std::variant<Classify, Paste, ClassifyCollage> job;
};

struct Pasted {
  Payload canvas;                // As handed in if rejected.
  Reason reason = Reason::none;  // If not none, the image is rejected and its slot stays blank.
};
struct Cells {
  std::vector<Predictions> cells;  // Empty as a whole if the inference failed.
};
struct Outcome {
  std::variant<Verdict, Pasted, Cells> what;
  Duration compute{};   // The inference alone.
  std::string version;  // Of the model, if one was asked.
};

// Something an operator wants to read; the driver logs it, rate-limited.
struct Note {
  enum class Level : std::uint8_t { info, warning } level = Level::info;
  std::string text;
};

// A step in the life of a request or a batch, for whoever follows one through the processes; the
// driver logs it if asked to, and drops it otherwise.
struct Step {
  std::string_view what;  // A literal: "admitted", "dispatched".
  BatchId batch;
  std::optional<Slot> slot;             // nullopt: the batch as a whole.
  std::optional<Duration> age{};        // Since admission; of a batch, since it opened.
  std::optional<Duration> batch_age{};  // With "admitted": since its batch opened.
  // What else is known, zero where it is not.
  ProducerId producer{};
  RequestId request{};
  WorkerId worker{};
  Source source = Source::none;
};

struct Actions {
  std::vector<Outgoing> messages;  // In order.
  std::vector<Note> notes;
  std::vector<Step> steps;
  std::optional<Work> work;
  bool finished = false;  // Drained: the driver may stop.

  void send(Peer to, Message message) { messages.push_back({to, std::move(message)}); }
  void note(Note::Level level, std::string text) { notes.push_back({level, std::move(text)}); }
  // Appends what `more` asks for; at most one of the two may ask for work.
  void append(Actions more) {
    messages.insert(messages.end(), std::make_move_iterator(more.messages.begin()),
                    std::make_move_iterator(more.messages.end()));
    notes.insert(notes.end(), std::make_move_iterator(more.notes.begin()),
                 std::make_move_iterator(more.notes.end()));
    steps.insert(steps.end(), more.steps.begin(), more.steps.end());
    if (more.work) work = std::move(more.work);
    finished = finished || more.finished;
  }
};

class Machine {
 public:
  virtual ~Machine() = default;

  virtual Actions on_message(Peer from, Message message, Instant now) = 0;
  // Does what is due at `now`; harmless if nothing is.
  virtual Actions on_timeout(Instant now) = 0;
  // The work asked for last is done.
  virtual Actions on_done(WorkId work, Outcome outcome, Instant now) = 0;
  // When on_timeout next has work to do; nullopt while nothing waits.  A new machine is due at
  // once: it says hello.
  virtual std::optional<Instant> next_timeout() const = 0;
  // Its figures, and whether it is ready; changes nothing.
  virtual Report report() const { return {}; }
};

}  // namespace wire
