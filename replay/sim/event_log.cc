#include "replay/sim/event_log.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>

#include "wire/codec.h"

namespace replay::sim {
namespace {

// Writes the fields of a message that tell it from others of its kind.
class Details {
 public:
  explicit Details(std::string& out) : out_(out) {}

  void operator()(const wire::Submit& m) { number("request", m.request.value); }
  void operator()(const wire::Cancel& m) { number("request", m.request.value); }
  void operator()(const wire::Correction& m) {
    number("request", m.request.value);
    word(to_string(m.source));
  }
  void operator()(const wire::Result& m) {
    number("request", m.request.value);
    word(to_string(m.status));
    word(to_string(m.source));
    word(to_string(m.reason));
    if (m.brownout) word("brownout");
  }
  void operator()(const wire::Refuse& m) { word(to_string(m.reason)); }
  void operator()(const wire::Ready& m) {
    number("seen", m.seen.value);
    for (const wire::Sequence held : m.held) number("held", held.value);
    if (m.leaving) word("leaving");
  }
  void operator()(const wire::Assign& m) {
    number("sequence", m.sequence.value);
    place(m.batch, m.slot);
    if (m.hedge) word("hedge");
  }
  void operator()(const wire::Withdraw& m) { number("sequence", m.sequence.value); }
  void operator()(const wire::CollageTask& m) {
    number("sequence", m.sequence.value);
    number("batch", m.batch.sequence.value);
  }
  void operator()(const wire::Answer& m) {
    place(m.batch, m.slot);
    word(to_string(m.verdict.reason));
  }
  void operator()(const wire::SlotSettled& m) {
    place(m.batch, m.slot);
    word(to_string(m.source));
  }
  void operator()(const wire::Disagreement& m) {
    place(m.batch, m.slot);
    word(to_string(m.source));
  }
  void operator()(const wire::BatchSealed& m) {
    number("batch", m.batch.sequence.value);
    number("filled", m.ages.size());
    if (m.collage_only) word("collage_only");
  }
  template <class Other>
  void operator()(const Other& m) {
    if constexpr (requires { m.batch; }) number("batch", m.batch.sequence.value);
  }

 private:
  void word(std::string_view text) {
    out_ += ' ';
    out_ += text;
  }
  void number(std::string_view name, std::uint64_t value) {
    word(name);
    out_ += '=';
    out_ += std::to_string(value);
  }
  void place(wire::BatchId batch, wire::Slot slot) {
    number("batch", batch.sequence.value);
    number("slot", slot);
  }
  std::string& out_;
};

}  // namespace

void EventLog::message(const std::string& from, const std::string& to, const wire::Message& message,
                       wire::Instant now) {
  const wire::Frames frames = wire::encode(message);
  hash_.add(std::bit_cast<std::array<std::uint8_t, 8>>(now.since_start.count()));
  hash_.add(from);
  hash_.add(to);
  hash_.add(frames.header);
  hash_.add(frames.payload.bytes());
  if (lines_max_ == 0 || frozen_) return;
  std::string text = from;
  text += " > ";
  text += to;
  text += ' ';
  text += wire::kind(message);
  std::visit(Details(text), message);
  keep(std::move(text), now);
}

void EventLog::line(std::string text, wire::Instant now) {
  hash_.add(text);
  if (lines_max_ > 0 && !frozen_) keep(std::move(text), now);
}

void EventLog::keep(std::string text, wire::Instant now) {
  char when[32];
  std::snprintf(when, sizeof when, "%12.6f ", wire::to_seconds(now.since_start));
  lines_.push_back(when + std::move(text));
  if (lines_.size() > lines_max_) lines_.pop_front();
}

std::string EventLog::text() const {
  std::string all;
  for (const std::string& line : lines_) all += line + "\n";
  return all;
}

}  // namespace replay::sim
