// What the broker has done and dropped since it started: every drop has a counter here.
#pragma once

#include <cstdint>

namespace broker {

struct Counters {
  std::uint64_t admitted = 0;
  std::uint64_t answered_single = 0, answered_collage = 0, answered_hedge = 0;
  std::uint64_t missing = 0, rejected = 0, refused = 0, cancelled = 0;
  std::uint64_t superseded = 0;         // Waiting images whose stream had a newer one.
  std::uint64_t answered_brownout = 0;  // Of answered_collage: no s-CNN was given the image.
  std::uint64_t rescued = 0;            // Images of such collages given to an s-CNN after all.
  std::uint64_t withdrawn = 0;          // Tasks taken back from stages: their slots were settled.
  std::uint64_t overloads = 0;          // Times that overload began.
  std::uint64_t cancels_unknown = 0;    // Cancels ignored: no request of that id was open.
  std::uint64_t batches = 0, batches_uncovered = 0;
  std::uint64_t batches_covered = 0;  // Sealed batches that a collage is made of.
  std::uint64_t images_covered = 0;   // Images in these batches.
  std::uint64_t batches_moved = 0;    // Batches given to another sink, for theirs was lost.
  std::uint64_t redispatched = 0;     // Tasks given again: their worker or their answer was lost.
  std::uint64_t settled_twice = 0;    // Answers dropped: the slot had been settled.
  std::uint64_t settled_stale = 0;    // Answers dropped: they are for another broker's life.
  std::uint64_t settled_bad = 0;      // Answers dropped: not well formed.
  std::uint64_t results_undelivered = 0;  // Results whose producer was gone or took no message.
  std::uint64_t corrections = 0;
  // Corrections dropped: not asked for, too late, or the same class as the collage's.
  std::uint64_t corrections_unwanted = 0;
  std::uint64_t corrections_forgotten = 0;    // Answers no longer correctable: at correction_max.
  std::uint64_t corrections_undelivered = 0;  // Corrections whose producer was gone.
  std::uint64_t workers_lost = 0, workers_refused = 0;
  std::uint64_t producers_refused = 0;  // Hellos of producers above producer_max.
  std::uint64_t bad_messages = 0;       // Messages undecodable, or not of their sender's role.
};

}  // namespace broker
