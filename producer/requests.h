// The open requests of one producer, each with its state and its timers.
//
//                 next, sent               remove
//   add -> queued -----------> in flight ----------> gone
//            ^  ^                |  |
//            |  +- resubmission -+  +- refused -> asleep
//            +------------- wake -------------------+
//
// Ids rise, so the order of ids is the order of submission, and the oldest request is always sent
// first.  Pure book-keeping: this class decides nothing, sends nothing, and has no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "producer/delivered.h"
#include "wire/message.h"
#include "wire/payload.h"
#include "wire/reason.h"
#include "wire/types.h"

namespace producer {

struct Request {
  enum class State : std::uint8_t { queued, asleep, in_flight, spent };

  wire::Payload image;
  wire::Instant submitted;
  wire::Instant deadline;
  wire::Instant expires;  // When the client gives it up: at the deadline, or later if it was sent.
  State state = State::queued;
  wire::Instant sent;        // When it was last sent, if `sends` > 0.
  std::uint64_t sends = 0;   // How often it was sent.
  std::uint32_t broker = 0;  // The broker to which it was sent last.
  std::uint32_t words = 0;   // How often a broker said that it has the request already.
  wire::Reason refusal = wire::Reason::none;         // Why it was last refused; none after a send.
  std::optional<wire::Instant> wake = std::nullopt;  // When it is queued again.
  std::optional<StreamId> stream = std::nullopt;     // The stream whose order its result keeps.
  wire::Priority priority = wire::Priority::normal;
  std::uint64_t latest = 0;  // The stream in which a newer frame supersedes it; 0: none.
};

class Requests {
 public:
  // Adds a queued request.  Requires an id above all ids that were ever added.
  void add(wire::RequestId id, Request request);
  // Returns an open request; nullptr if there is none with this id.
  const Request* find(wire::RequestId id) const;

  // Returns the oldest queued request; nullopt if none is queued.
  std::optional<wire::RequestId> next() const;

  // Each of these requires an open request and moves it to the state in its name.
  void sent(wire::RequestId id, wire::Instant now, wire::Instant expires,
            std::optional<wire::Instant> wake, std::uint32_t broker = 0);
  void queue(wire::RequestId id);
  void refused(wire::RequestId id, wire::Reason reason, wire::Instant wake);
  void spend(wire::RequestId id);  // The request is not sent again and waits for its expiry.
  Request remove(wire::RequestId id);

  // Notes that a broker has a request, which is in flight: it is queued again at `wake`, if at all.
  void known(wire::RequestId id, std::optional<wire::Instant> wake);
  // Sets when an open request is queued again; nullopt: not by time.
  void set_wake(wire::RequestId id, std::optional<wire::Instant> wake);

  // Queue all requests in flight to a broker again, or only those that were sent at or after
  // `since`.
  void queue_in_flight(std::uint32_t broker = 0);
  void queue_sent_since(wire::Instant since, std::uint32_t broker = 0);
  // Returns the request that is to be woken first; nullopt if none is at or before `now`.
  std::optional<wire::RequestId> due(wire::Instant now) const;
  // Queues the requests whose `wake` is at or before `now`.
  void wake(wire::Instant now);
  // Returns the request that expires first, the oldest among equals; nullopt if none expires at or
  // before `now`.
  std::optional<wire::RequestId> expired(wire::Instant now) const;

  std::size_t size() const { return open_.size(); }
  std::size_t bytes() const { return bytes_; }  // The bytes of all open images.
  // The requests in flight to a broker.
  const std::set<wire::RequestId>& at(std::uint32_t broker) const;
  std::size_t in_flight(std::uint32_t broker = 0) const { return at(broker).size(); }
  // When a request must next be woken or expires; nullopt if none is open.
  std::optional<wire::Instant> next_timeout() const;

 private:
  using Timers = std::set<std::pair<wire::Instant, wire::RequestId>>;

  Request& leave_state(wire::RequestId id);

  std::map<wire::RequestId, Request> open_;
  std::set<wire::RequestId> queued_;
  std::map<std::uint32_t, std::set<wire::RequestId>> in_flight_;  // By broker.
  std::size_t bytes_ = 0;
  Timers wakes_;
  Timers expiries_;
};

}  // namespace producer
