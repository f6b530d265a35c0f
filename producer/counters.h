// What a client counts: every image once, and everything that was dropped.
#pragma once

#include <cstdint>

namespace producer {

struct Counters {
  std::uint64_t submitted = 0;            // By the owner.
  std::uint64_t full = 0;                 // Turned away at open_max or open_bytes_max.
  std::uint64_t sent = 0;                 // Submits, of all kinds.
  std::uint64_t resubmitted = 0;          // Of these, because the first might have been lost.
  std::uint64_t retried = 0;              // Of these, after a refusal.
  std::uint64_t delivered = 0;            // Each request once.
  std::uint64_t expired = 0;              // Of these, given up by our own word.
  std::uint64_t too_large = 0;            // Of these, refused here.
  std::uint64_t cancelled = 0;            // Of these, cancelled, by the broker's word or our own.
  std::uint64_t duplicate_results = 0;    // For a request that was delivered; dropped.
  std::uint64_t unknown_results = 0;      // For a request that never was; dropped.
  std::uint64_t open_already = 0;         // duplicate_request: the broker has it; no result.
  std::uint64_t corrections = 0;          // Delivered.
  std::uint64_t corrections_dropped = 0;  // Not of a collage's answer, no news, or untaken.
  std::uint64_t cancels = 0;              // Sent.
  std::uint64_t hellos = 0;
  std::uint64_t silences = 0;     // Too many hellos unanswered.
  std::uint64_t refusals = 0;     // Conversations that the broker ended.
  std::uint64_t rejoined = 0;     // Welcomes after which all was sent again.
  std::uint64_t undelivered = 0;  // By the driver: the link would not take more.
  std::uint64_t undecodable = 0;
  std::uint64_t unexpected = 0;  // Messages that are not for a producer; dropped.
};

}  // namespace producer
