// The producer's side of the pipeline as a machine: it submits images under ids and delivers one
// result for each.
//
//        submit, cancel        Submit (as credit allows), Cancel
//   owner ----------> Client ----------------------------> broker
//         <----------        <----------------------------
//        take_results          Result, Correction, Welcome, Refuse
//        take_corrections
//
// Every submitted image is delivered exactly once: with the broker's result, or as `missing` by the
// client itself shortly after the deadline, which counts from submit.  Across a restart of the
// broker the wire is at-least-once: unanswered requests are sent again under the same ids when the
// broker has another epoch, does not know this producer any more, or answers again after a silence.
// The broker may then have a request already; its `duplicate_request` is not a result.
//
// A cancelled image is delivered exactly once, too: as `cancelled`, by the client itself if the
// broker does not have the request, or with its result if result and Cancel cross.  If a Cancel is
// lost, the image is delivered by its deadline.
//
// Results of one stream are delivered in the order of submission.  A result that arrives early is
// held, and its request stays open until the result is delivered.  An in-order result may therefore
// be delivered after its own deadline, but never after the latest deadline of the requests ahead of
// it in the stream.
//
// Of the requests with the same SubmitOptions::latest, only the newest is worth an answer.  The
// broker supersedes the older ones that wait there, and the client those that the broker does not
// have: requests that were never sent, and requests that the broker has refused.  So, apart from
// copies that are sent again, no older frame reaches the broker after a newer one.
//
// With Policy::corrections, one Correction may follow the delivery of a collage's answer.
//
// A pure machine on link 0 (machine/machine.h).  The owner calls submit, cancel and take_results
// between the driver's calls.  Ids rise, so that a late second result can never be taken for the
// result of a newer request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
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

// How an image is to be treated.
struct SubmitOptions {
  // 0 for the policy's; bounded by the broker's maximum once it is known.
  wire::Duration deadline{};
  std::optional<StreamId> stream = std::nullopt;  // The stream whose order its result keeps.
  wire::Priority priority = wire::Priority::normal;
  // The number of a stream in which a newer image supersedes the older ones that still wait; 0:
  // none.
  std::uint64_t latest = 0;
};

class Client : public machine::Machine {
 public:
  using Counters = producer::Counters;

  // Requires deadline > 0, open_max > 0 and 0 < hello_min <= hello_max.
  explicit Client(Policy policy);

  // Queues an image to be classified.  Requires an id above all earlier ids.  Keeps nothing if the
  // result is not `queued`.
  enum class Submitted : std::uint8_t { queued, full, draining };
  [[nodiscard]] Submitted submit(wire::RequestId id, wire::Payload image,
                                 const SubmitOptions& options, wire::Instant now);
  // Withdraws an open request.  Returns false if the request is not open, or if its result has
  // arrived and is held for the order of its stream.  A second call has no effect.
  bool cancel(wire::RequestId id, wire::Instant now);
  // Returns the results that were delivered since the last call, in order.
  [[nodiscard]] std::vector<Delivered> take_results();
  // Returns the corrections since the last call.  Each follows the delivery of its result.
  [[nodiscard]] std::vector<Correction> take_corrections();

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  bool joined() const { return joined_; }
  std::size_t open() const { return requests_.size() + streams_.held(); }
  // The number of delivered answers that a correction may still follow.
  std::size_t correctable() const { return correctable_.size(); }
  // The number of images that submit would now accept and that would be sent without a wait for
  // credit.
  std::size_t window() const;
  // The broker's last Welcome; all zeros before the first.
  const wire::Welcome& welcome() const { return welcome_; }
  // The reason of the last Refuse since the last Welcome; none if there was none.
  wire::Reason refusal() const { return refusal_; }
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
  bool has_newer(wire::RequestId id, std::uint64_t latest) const;
  void supersede(wire::Instant now);
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
  machine::Rng rng_;  // The source of the hellos' jitter; seeded by the producer's id.
  Requests requests_;
  // Open requests to be cancelled, with the time of the Cancel; nullopt if none was sent yet.
  std::map<wire::RequestId, std::optional<wire::Instant>> cancels_;
  // The open requests of each `latest`, and the streams that got a newer one since the last turn.
  std::map<std::uint64_t, std::set<wire::RequestId>> frames_;
  std::set<std::uint64_t> renewed_;
  Streams streams_;
  Correctable correctable_;
  std::vector<Delivered> results_;
  std::vector<Correction> corrections_;
  Counters counters_;
  wire::Instant turn_, turn_before_;  // The times of the last two iterations.
  wire::Instant latest_;              // The latest `now`.
  wire::Welcome welcome_;
  bool known_ = false;  // True after the first Welcome.
  bool joined_ = false;
  bool draining_ = false;
  wire::Reason refusal_ = wire::Reason::none;
  wire::Instant hello_due_;
  wire::Instant hello_sent_;
  std::uint32_t hello_unanswered_ = 0;
  wire::Instant send_after_;  // No request is sent before, because the link was full.
  wire::RequestId last_;      // The highest id so far.
};

}  // namespace producer
