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
// With several brokers, requests go to the most preferred one that serves us.  The next gets a
// hello only when all before it are silent, refuse us or drain.  What is in flight to a broker that
// is silent goes to the next under the same ids; the first answer is delivered, the deadline runs
// on. Of a broker that was left only an answer or a rejection of an image counts: the next decides
// everything else.  A preferred broker that is back gets requests again after return_after.
//
// A pure machine on the links 0 to Policy::brokers - 1 (machine/machine.h).  The owner calls
// submit, cancel and take_results between the driver's calls.  Ids rise, so that a late second
// result can never be taken for the result of a newer request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "machine/machine.h"
#include "machine/random.h"
#include "producer/broker_link.h"
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

  // Requires deadline > 0, open_max > 0, 0 < hello_min <= hello_max, brokers > 0 and
  // failover_after > 0.
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

  // The broker that requests go to, as the index of its link; joined(), welcome() and refusal() are
  // of its conversation.
  std::uint32_t broker() const { return current_; }
  bool joined() const { return links_[current_].joined(); }
  // Whether there is no further broker to try: since one last served us, all have got a hello.
  bool tried_all() const { return greeted_ == links_.size(); }
  std::size_t open() const { return requests_.size() + streams_.held(); }
  // Of these, those without a result; one that is held for the order of its stream has one.
  std::size_t unanswered() const { return requests_.size(); }
  // The number of delivered answers that a correction may still follow.
  std::size_t correctable() const { return correctable_.size(); }
  // The number of images that submit would now accept and that would be sent without a wait for
  // credit.
  std::size_t window() const;
  // The last Welcome of the broker that requests go to, or went to; all zeros before the first.
  const wire::Welcome& welcome() const { return welcome_; }
  // The reason of the last Refuse since the last Welcome; none if there was none.
  wire::Reason refusal() const { return refusal(current_); }
  wire::Reason refusal(std::uint32_t broker) const { return links_[broker].refusal(); }
  const Counters& counters() const { return counters_; }

 private:
  using Index = std::uint32_t;  // Of a broker.

  void on_broker(Index from, wire::Message message, wire::Instant now, machine::Actions& actions);
  void on_welcome(Index from, const wire::Welcome& welcome, wire::Instant now,
                  machine::Actions& actions);
  void on_refusal(Index from, wire::Reason reason, wire::Instant now, machine::Actions& actions);
  void on_undelivered(Index from, wire::Instant now);
  void on_result(Index from, wire::Result result, wire::Instant now, machine::Actions& actions);
  void on_refused(Index from, wire::Result result, wire::Instant now, machine::Actions& actions);
  void wake(wire::Instant now);
  std::optional<wire::Instant> resubmit_at(std::uint32_t words, wire::Instant now) const;
  void on_correction(wire::Correction correction, wire::Instant now);
  void correct(wire::Correction correction, wire::Instant now);
  void deliver(wire::Result result, bool local, wire::Instant now);
  void hand_out(Streams::Held result, wire::Instant now);
  void expire(wire::Instant now);
  wire::Result own_answer(wire::RequestId id) const;
  bool has_newer(wire::RequestId id, std::uint64_t latest) const;
  void supersede(wire::Instant now);
  std::optional<wire::Instant> next_cancel() const;
  void send_cancels(wire::Instant now, machine::Actions& actions);
  bool greets(Index broker) const;
  void send_hellos(wire::Instant now, machine::Actions& actions);
  void fail_over(wire::Instant now, machine::Actions& actions);
  void leave(Index broker, wire::Instant now, machine::Actions& actions);
  void choose(wire::Instant now, machine::Actions& actions);
  void withdraw(machine::Actions& actions);
  wire::Instant next_hello() const;
  std::optional<wire::Instant> next_choice() const;
  void send_queued(wire::Instant now, machine::Actions& actions);
  void send(wire::RequestId id, const Request& request, wire::Instant now,
            machine::Actions& actions);
  void begin(wire::Instant now);
  machine::Actions turn(wire::Instant now);
  std::size_t credit() const { return links_[current_].credit(); }

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
  bool draining_ = false;
  std::vector<BrokerLink> links_;  // The brokers, in the order of preference.
  Index current_ = 0;              // The one that requests go to.
  Index greeted_ = 1;              // How many of the first ones get hellos in any case.
  wire::RequestId last_;           // The highest id so far.
};

}  // namespace producer
