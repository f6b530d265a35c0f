// The open requests of one producer: which are to be sent, which are with the broker, and when
// each must be looked at again.
//
//                 next, sent               remove
//   add -> queued -----------> in flight ----------> gone
//            ^  ^                |  |
//            |  +- resubmission -+  +- refused -> asleep
//            +------------- wake -------------------+
//
// Ids rise, so the order of ids is the order of submission, and the oldest is always sent first.
// Pure book-keeping: it decides nothing, sends nothing, and has no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "producer/delivered.h"
#include "wire/payload.h"
#include "wire/reason.h"
#include "wire/types.h"

namespace producer {

struct Request {
  enum class State : std::uint8_t { queued, asleep, in_flight, spent };

  wire::Payload image;
  wire::Instant submitted;
  wire::Instant deadline;
  wire::Instant expires;  // When it is given up: at its deadline, or later once it has been sent.
  State state = State::queued;
  wire::Instant sent;                                // The last time, if `sends` > 0.
  std::uint64_t sends = 0;                           // How often it has been sent.
  wire::Reason refusal = wire::Reason::none;         // The last, if not sent again since.
  std::optional<wire::Instant> wake = std::nullopt;  // When it is queued again by itself.
  std::optional<StreamId> stream = std::nullopt;     // Whose order its result is to keep.
};

class Requests {
 public:
  // Requires an id above all that were ever added.
  void add(wire::RequestId id, Request request);
  // nullptr if it is not open.
  const Request* find(wire::RequestId id) const;

  // The oldest queued request.
  std::optional<wire::RequestId> next() const;

  // Requires an open request; each moves it to the state named.
  void sent(wire::RequestId id, wire::Instant now, wire::Instant expires,
            std::optional<wire::Instant> wake);
  void queue(wire::RequestId id);
  void refused(wire::RequestId id, wire::Reason reason, wire::Instant wake);
  void spend(wire::RequestId id);  // Waits for its expiry alone.
  Request remove(wire::RequestId id);

  // Queues again all that are in flight, or only those last sent at or after `since`.
  void queue_in_flight();
  void queue_sent_since(wire::Instant since);
  // Queues what was to be woken at or before `now`.
  void wake(wire::Instant now);
  // One that expires at or before `now`: the earliest, of equals the oldest.
  std::optional<wire::RequestId> expired(wire::Instant now) const;

  std::size_t size() const { return open_.size(); }
  std::size_t bytes() const { return bytes_; }  // Of all images held.
  std::size_t in_flight() const { return in_flight_.size(); }
  // When wake or expired next have something to say.
  std::optional<wire::Instant> next_timeout() const;

 private:
  using Timers = std::set<std::pair<wire::Instant, wire::RequestId>>;

  Request& leave_state(wire::RequestId id);

  std::map<wire::RequestId, Request> open_;
  std::set<wire::RequestId> queued_;
  std::set<wire::RequestId> in_flight_;
  std::size_t bytes_ = 0;
  Timers wakes_;
  Timers expiries_;
};

}  // namespace producer
