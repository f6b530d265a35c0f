// A producer's end of the pipeline: images go in under ids, each comes back once.
//
//        submit, cancel        Submit (as credit allows), Cancel
//   owner ----------> Client ----------------------------> broker
//         <----------        <----------------------------
//        take_results          Result, Correction, Welcome, Refuse
//        take_corrections
//
// Every submitted image is delivered exactly once: as the broker answered it, or as `missing`
// by the client itself shortly after its deadline, which runs from submit.  Across a restart of
// the broker the wire is at-least-once: what is unanswered is sent again under the same id when
// the broker shows another epoch, does not know us any more, or speaks again after a silence.
// Then the broker may hold the request already; its `duplicate_request` is no result.
//
// An image that is cancelled is delivered exactly once too: as `cancelled`, by the client itself if
// the broker does not have it, or as it was answered if the answer crosses the Cancel.  A Cancel
// that is lost leaves it to its deadline.
//
// Results of one stream are delivered in the order of submission: one that comes before its turn is
// held, and stays an open request until it is delivered.  It may so come after its own deadline,
// but not after the latest of those before it.
//
// With Policy::corrections, an answer by a collage may be followed by one Correction, after it.
//
// A pure machine on link 0; see wire/machine.h.  The owner calls submit and take_results between
// turns.  Ids rise, so that a late second result can never be taken for a newer request's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "machine/machine.h"
#include "machine/random.h"
#include "producer/correctable.h"
#include "producer/counters.h"
#include "producer/delivered.h"
#include "producer/policy.h"
#include "producer/requests.h"
#include "producer/streams.h"

namespace producer {

class Client : public machine::Machine {
 public:
  using Counters = producer::Counters;

  // Requires a deadline, open_max and 0 < hello_min <= hello_max.
  explicit Client(Policy policy);

  // Takes an image to be classified within `deadline` (0 for the policy's; bounded by the
  // broker's once it is known).  Requires an id above all before.  Nothing is kept if not queued.
  enum class Submitted : std::uint8_t { queued, full, draining };
  [[nodiscard]] Submitted submit(wire::RequestId id, wire::Payload image, wire::Duration deadline,
                                 wire::Instant now, std::optional<StreamId> stream = std::nullopt);
  // Asks for no answer to an open request; false if it is not open, or has its answer and waits for
  // others of its stream.  Twice is as good as once.
  bool cancel(wire::RequestId id, wire::Instant now);
  // What has been delivered since the last call, in order.
  [[nodiscard]] std::vector<Delivered> take_results();
  // Those since the last call.  Each is of a result that was delivered before it.
  [[nodiscard]] std::vector<Correction> take_corrections();

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  bool joined() const { return joined_; }
  std::size_t open() const { return requests_.size() + streams_.held(); }
  // Delivered answers that a correction may still follow.
  std::size_t correctable() const { return correctable_.size(); }
  // How many more images would go out at once, neither waiting for credit nor turned away.
  std::size_t window() const;
  const wire::Welcome& welcome() const { return welcome_; }  // The last; zero before it.
  wire::Reason refusal() const { return refusal_; }          // The last Refuse since a Welcome.
  const Counters& counters() const { return counters_; }

 private:
  void on_welcome(const wire::Welcome& welcome, wire::Instant now, machine::Actions& actions);
  void on_refusal(wire::Reason reason, wire::Instant now, machine::Actions& actions);
  void on_undelivered(wire::Instant now);
  void on_result(wire::Result result, wire::Instant now, machine::Actions& actions);
  void on_refused(wire::Result result, wire::Instant now, machine::Actions& actions);
  void on_correction(wire::Correction correction, wire::Instant now);
  void correct(wire::Correction correction, wire::Instant now);
  void deliver(wire::Result result, bool local, wire::Instant now);
  void hand_out(Streams::Held result, wire::Instant now);
  void expire(wire::Instant now);
  wire::Result own_answer(wire::RequestId id) const;
  bool cancels_due() const;
  void send_cancels(wire::Instant now, machine::Actions& actions);
  void send_hello(wire::Instant now, machine::Actions& actions);
  void send_queued(wire::Instant now, machine::Actions& actions);
  void send(wire::RequestId id, const Request& request, wire::Instant now,
            machine::Actions& actions);
  void begin(wire::Instant now);
  machine::Actions turn(wire::Instant now);
  std::size_t credit() const;

  const Policy policy_;
  machine::Rng rng_;  // For the jitter alone; seeded by the producer's id.
  Requests requests_;
  // Open requests that are to be cancelled, and when the broker was told so.
  std::map<wire::RequestId, std::optional<wire::Instant>> cancels_;
  Streams streams_;
  Correctable correctable_;
  std::vector<Delivered> results_;
  std::vector<Correction> corrections_;
  Counters counters_;
  wire::Instant turn_, turn_before_;
  wire::Instant latest_;  // The last `now`.
  wire::Welcome welcome_;
  bool known_ = false;  // There has been a Welcome.
  bool joined_ = false;
  bool draining_ = false;
  wire::Reason refusal_ = wire::Reason::none;
  wire::Instant hello_due_;
  wire::Instant hello_sent_;
  std::uint32_t hello_unanswered_ = 0;
  wire::Instant send_after_;  // The link would not take more until then.
  wire::RequestId last_;
};

}  // namespace producer
