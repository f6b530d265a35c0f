// The counters of a client: images by outcome, messages by kind, and everything that was dropped.
#pragma once

#include <cstdint>

namespace producer {

struct Counters {
  std::uint64_t submitted = 0;            // Images that submit accepted.
  std::uint64_t full = 0;                 // Images that submit refused at a bound.
  std::uint64_t sent = 0;                 // Submits sent, first ones and repeated ones.
  std::uint64_t resubmitted = 0;          // Submits repeated because the first may be lost.
  std::uint64_t refused_for_now = 0;      // Results refused: full, overloaded, no credit.
  std::uint64_t retried = 0;              // Submits repeated after a refusal.
  std::uint64_t delivered = 0;            // Requests delivered, each once.
  std::uint64_t expired = 0;              // Requests delivered by the client at their deadline.
  std::uint64_t too_large = 0;            // Requests refused by the client: image too large.
  std::uint64_t cancelled = 0;            // Requests delivered as `cancelled`.
  std::uint64_t superseded = 0;           // Requests delivered as `superseded`.
  std::uint64_t duplicate_results = 0;    // Results dropped: the request was delivered already.
  std::uint64_t unknown_results = 0;      // Results dropped: there was no such request.
  std::uint64_t open_already = 0;         // Results duplicate_request: the broker has the request.
  std::uint64_t corrections = 0;          // Corrections delivered.
  std::uint64_t corrections_dropped = 0;  // Corrections dropped: unknown, same class, or no room.
  std::uint64_t cancels = 0;              // Cancels sent.
  std::uint64_t hellos = 0;               // ProducerHellos sent.
  std::uint64_t silences = 0;             // Times that too many hellos stayed unanswered.
  std::uint64_t refusals = 0;             // Refuses from the broker.
  std::uint64_t rejoined = 0;             // Welcomes after which open requests were sent again.
  std::uint64_t failovers = 0;            // Times that a silent broker was left for the next.
  std::uint64_t moved = 0;                // Requests that were taken from a silent broker.
  std::uint64_t left_results = 0;  // Results dropped: no answer, and of a broker that was left.
  std::uint64_t undelivered = 0;   // Messages that the driver could not send.
  std::uint64_t undecodable = 0;   // Messages that could not be decoded; dropped.
  std::uint64_t unexpected = 0;    // Messages that are not for a producer; dropped.
};

}  // namespace producer
