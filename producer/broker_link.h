// The client's conversation with one of its brokers: hellos, credit, silence.
//
//           greet            Welcome                 silent for failover_after
//     idle -------> greeting --------> joined ----------------------------------> left
//                      ^  ^               | refused, or too many hellos unanswered  |
//                      |  +---------------+                          hellos go on   |
//                      +------------------------------------------------------------+
//
// A producer's hello is its heartbeat, and the broker answers each with a Welcome.  So a living
// broker is heard once a heartbeat, whatever its images take.
//
// Pure book-keeping for Client: it sends nothing.  Callers pass `now`, which never goes back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "machine/random.h"
#include "producer/policy.h"
#include "wire/message.h"

namespace producer {

class BrokerLink {
 public:
  explicit BrokerLink(const Policy& policy) : policy_(policy) {}

  // Begins the conversation: a hello is due at once.
  void greet(wire::Instant now);
  wire::Instant hello_due() const { return hello_due_; }
  // Notes that a hello is sent.  Returns true if so many are unanswered that the broker counts as
  // silent from now on, which it did not.
  bool on_hello(wire::Instant now, machine::Rng& rng);

  // Notes that the broker was heard; any message of its own counts.
  void on_heard(wire::Instant now);
  // Any result shows that the broker serves us.
  void on_result() { hello_unanswered_ = joined_ ? 0 : hello_unanswered_; }
  // Notes how long a request took from its last Submit to its result.
  void on_taken(wire::Duration time) { usual_ = std::max(time, usual_ - usual_ / 16); }
  // How long the slowest of recent requests took, about.
  wire::Duration usual() const { return usual_; }
  // What a Welcome says of the conversation so far.
  enum class Since : std::uint8_t { first, joined, lost, restarted };
  Since on_welcome(const wire::Welcome& welcome, wire::Instant now);
  // Returns true if the reason is new.  A new hello follows, but never sooner than hello_min after
  // the last one: two peers that disagree would otherwise exchange messages without a pause.
  bool on_refusal(wire::Reason reason, wire::Instant now);
  // The broker finishes what it has and takes nothing new; so it stays until its next life.
  void on_draining() { draining_ = true; }

  // --- for a choice among several brokers ---

  // When leave_if_silent has something to do; nullopt if the broker has been left already, or if no
  // hello is unanswered.
  std::optional<wire::Instant> judged_at() const;
  // Returns true, and the broker is left, if it is silent.  A client that was stopped itself may
  // not have read what the broker said.  So it doubts the broker first, and leaves it if it has
  // listened since.
  bool leave_if_silent(wire::Instant now);
  // Whether the broker takes new requests, and whether it is known that it takes none.
  bool usable() const { return joined_ && !draining_; }
  bool failed() const;
  // When the broker has been usable for return_after; nullopt if it is not usable.
  std::optional<wire::Instant> steady_at() const;
  // Ends the conversation until the next greet.
  void rest() { joined_ = false; }

  // The requests that were given to another broker while this one may still answer them.  They
  // count against its credit until it has, or until `until`.
  void leave_request(wire::RequestId id, wire::Instant until) { left_.emplace(id, until); }
  bool answer_left(wire::RequestId id) { return left_.erase(id) > 0; }
  // Notes the end of a request: if this broker still has it, it is to be withdrawn.
  void on_end(wire::RequestId id);
  // Returns the requests to be withdrawn since the last call; none while the broker is away.
  std::vector<wire::RequestId> take_withdrawn();

  bool joined() const { return joined_; }
  // The requests that may be in flight to it.
  std::size_t credit() const;
  // The last Welcome; all zeros before the first.
  const wire::Welcome& welcome() const { return welcome_; }
  // The reason of the last Refuse since the last Welcome; none if there was none.
  wire::Reason refusal() const { return refusal_; }

  wire::Instant send_after;  // No request is sent before, because the link was full.

 private:
  const Policy policy_;
  wire::Welcome welcome_;
  bool known_ = false;  // True after the first Welcome.
  bool joined_ = false;
  bool draining_ = false;
  bool left_silent_ = false;  // Left, and not welcomed since.
  wire::Reason refusal_ = wire::Reason::none;
  wire::Instant hello_due_;
  wire::Instant hello_sent_;
  std::uint32_t hello_unanswered_ = 0;
  std::optional<wire::Instant> heard_;  // When it was last heard, or greeted.
  std::optional<wire::Instant> asked_;  // The first hello since then.
  std::optional<wire::Instant> doubted_;
  wire::Instant usable_since_;
  wire::Duration usual_{};
  std::map<wire::RequestId, wire::Instant> left_;
  std::set<wire::RequestId> withdrawn_;
};

}  // namespace producer
