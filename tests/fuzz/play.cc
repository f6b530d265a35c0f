#include "tests/fuzz/play.h"

#include <algorithm>
#include <string>
#include <variant>

#include "wire/check.h"
#include "wire/codec.h"

namespace fuzz {
namespace {

// A machine may serve one timer a call; it has less than this many at one instant.
constexpr int kTimersMax = 1000;
// Timers within one advance; what is left of the time then passes at once.
constexpr int kTurnsMax = 50;

}  // namespace

void Play::take(machine::Actions actions) {
  for (const machine::Outgoing& out : actions.messages) {
    // A Status has the same names each time, and takes longer than all the others together.
    if (std::holds_alternative<wire::Status>(out.message) && std::exchange(status_, true)) continue;
    const wire::Frames frames = wire::encode(out.message);
    std::vector<wire::Payload> payloads;
    if (frames.has_payload) payloads.push_back(frames.payload);
    COLLAGE_CHECK(wire::decode(frames.header, payloads).has_value());
    drawer_.learn(out.message);
  }
  COLLAGE_CHECK(!actions.work || !work_);
  finished_ = actions.finished;
  if (watch_) watch_(actions);
  if (actions.work) work_ = std::move(actions.work);
}

void Play::deliver(machine::Peer from, wire::Message message) {
  if (finished_) return;
  serve_timers();
  drawer_.learn(message);
  if (!finished_) take(machine_.on_message(from, std::move(message), now_));
}

// Timers go before messages of the same instant.
void Play::serve_timers() {
  for (int turns = 0; !finished_; ++turns) {
    const auto next = machine_.next_timeout();
    if (!next || *next > now_) return;
    COLLAGE_CHECK(turns < kTimersMax);
    take(machine_.on_timeout(now_));
  }
}

void Play::advance(wire::Duration time) {
  const wire::Instant until = now_ + time;
  for (int turns = 0; turns < kTurnsMax; ++turns) {
    serve_timers();
    const auto next = machine_.next_timeout();
    if (finished_ || !next || *next > until) break;
    now_ = *next;
  }
  now_ = until;
  serve_timers();
}

void Play::stall(wire::Duration time) {
  now_ = now_ + time;
  serve_timers();
}

machine::Outcome Play::outcome(const machine::Work& work) {
  machine::Outcome outcome;
  outcome.compute = drawer_.duration();
  outcome.version = input_.flag() ? "v1" : "v2";
  const wire::Reason reason = drawer_.verdict_reason();
  if (const auto* classify = std::get_if<machine::Classify>(&work.job)) {
    wire::Verdict verdict{{}, reason};
    if (reason == wire::Reason::none) verdict.predictions = drawer_.predictions(3);
    outcome.what = std::move(verdict);
    outcome.more.resize(classify->more.size(), machine::Outcome(outcome));
  } else if (const auto* paste = std::get_if<machine::Paste>(&work.job)) {
    wire::Payload canvas =
        paste->canvas.empty() ? wire::Payload(wire::Payload::Bytes(12)) : paste->canvas;
    outcome.what = machine::Pasted{std::move(canvas), reason};
  } else {
    machine::Cells cells;
    if (reason == wire::Reason::none) {
      cells.cells.resize(std::get<machine::ClassifyCollage>(work.job).blank.size());
    }
    for (wire::Predictions& cell : cells.cells) cell = drawer_.predictions(3);
    outcome.what = std::move(cells);
  }
  return outcome;
}

void Play::finish_work() {
  if (!work_ || finished_) return;
  serve_timers();
  if (finished_) return;
  const machine::Work work = *std::exchange(work_, std::nullopt);
  take(machine_.on_done(work.id, outcome(work), now_));
}

void Play::step(machine::Peer from) {
  using namespace std::chrono_literals;
  switch (input_.below(6)) {
    case 0:
      return finish_work();
    case 1:
      return stall(drawer_.duration());
    case 2: {
      std::vector<wire::Payload> payloads;
      if (input_.flag()) payloads.emplace_back(wire::Payload::Bytes(4));
      const auto decoded = wire::decode(input_.take(input_.byte()), payloads);
      if (decoded) return deliver(from, *decoded);
      return deliver(from, wire::Undecodable{decoded.error()});
    }
    case 3:
      return deliver(from, wire::Undelivered{input_.flag() ? wire::Undelivered::Why::blocked
                                                           : wire::Undelivered::Why::unroutable});
    case 4:
      return deliver(from, drawer_.any());
    default:
      return advance(std::min<wire::Duration>(drawer_.duration(), 2s));
  }
}

}  // namespace fuzz
