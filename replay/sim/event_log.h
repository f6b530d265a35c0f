// The messages of a run: a hash of all of them, and the last ones as text.
//
// Two runs of one seed have the same hash.  Text costs time, so it is kept on request only; a
// failing seed is run a second time for its text.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "wire/fnv.h"
#include "wire/message.h"
#include "wire/types.h"

namespace replay::sim {

class EventLog {
 public:
  // Keeps up to `lines` of text.
  explicit EventLog(std::size_t lines) : lines_max_(lines) {}

  void message(const std::string& from, const std::string& to, const wire::Message& message,
               wire::Instant now);
  // Adds a line about anything but a message: starts, crashes, violations.
  void line(std::string text, wire::Instant now);
  // Adds no more lines of text; the hash still covers everything.
  void freeze() { frozen_ = true; }

  std::uint64_t hash() const { return hash_.value(); }
  std::string text() const;

 private:
  void keep(std::string text, wire::Instant now);

  const std::size_t lines_max_;
  bool frozen_ = false;
  wire::Fnv hash_;
  std::deque<std::string> lines_;
};

}  // namespace replay::sim
