// What the broker has done and dropped since it started: every drop has a counter here.
#pragma once

#include <cstdint>

namespace broker {

struct Counters {
  std::uint64_t admitted = 0;
  std::uint64_t answered_single = 0, answered_collage = 0, answered_hedge = 0;
  std::uint64_t missing = 0, rejected = 0, refused = 0, cancelled = 0;
  std::uint64_t cancels_unknown = 0;  // Ignored: nothing of that id was open.
  std::uint64_t batches = 0, batches_uncovered = 0;
  std::uint64_t redispatched = 0;         // Their worker was lost.
  std::uint64_t settled_twice = 0;        // Dropped: the slot had its answer.
  std::uint64_t settled_stale = 0;        // Dropped: of another broker's life.
  std::uint64_t settled_bad = 0;          // Dropped: no lawful answer.
  std::uint64_t results_undelivered = 0;  // The producer was gone or would not take it.
  std::uint64_t corrections = 0;
  std::uint64_t corrections_unwanted = 0;   // Dropped: not asked for, too late, or no other class.
  std::uint64_t corrections_forgotten = 0;  // They could not come any more: at correction_max.
  std::uint64_t corrections_undelivered = 0;  // The producer was gone.
  std::uint64_t workers_lost = 0, workers_refused = 0;
  std::uint64_t bad_messages = 0;  // Undecodable, or not of their sender's role.
};

}  // namespace broker
