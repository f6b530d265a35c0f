// The broker: admits images, groups and dispatches them, and answers each exactly once.
//
//   link kProducers (ROUTER)   ProducerHello, Submit, Cancel, Probe
//                                                            ->  Welcome, Refuse, Result,
//                                                                Correction, Status
//   link kWorkers   (ROUTER)   WorkerHello, Ready            ->  Welcome, Refuse, Assign
//                    assembler                               ->  Seal, Drop
//                    sink      Settled, Corrected, Service   ->  Opened, Sealed, Closed
//
// It owns admission, the deadline and exactly-once; which answer is good enough is the sink's
// choice.  The life of a request:
//
//     Submit -> admitted -> dispatched (and to the assembler) -> settled by the sink -> Result
//                  |            +-- hedge, if late and the policy says so
//                  |            +-- again, if its worker is lost
//                  +-- at its deadline: Result missing
//                  +-- if its producer says Cancel: Result cancelled
//
// A Result from a collage may be followed by a Correction (corrections.h), to a producer that wants
// these.
//
// Broker is a pure state machine (wire/machine.h).  Pictures are held by reference and never
// looked into.  Every bound is in Policy; at a bound producers are refused with a reason.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/batcher.h"
#include "broker/corrections.h"
#include "broker/counters.h"
#include "broker/dispatcher.h"
#include "broker/ledger.h"
#include "broker/policy.h"
#include "broker/roster.h"
#include "broker/sessions.h"
#include "machine/machine.h"

namespace broker {

inline constexpr std::uint32_t kProducers = 0;
inline constexpr std::uint32_t kWorkers = 1;

class Broker : public machine::Machine {
 public:
  // Requires a policy as broker/config.cc lets through: linger < hedge_after < deadline, all
  // bounds positive.  `epoch` is drawn afresh for every life.
  Broker(Policy policy, wire::Epoch epoch);

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  const Counters& counters() const { return counters_; }
  // All counters and gauges by name, as a probe is told them.
  wire::Status status() const;
  machine::Telemetry telemetry() const override;

 private:
  void handle(machine::Peer from, wire::ProducerHello hello);
  void handle(machine::Peer from, wire::Submit submit);
  void handle(machine::Peer from, wire::Cancel cancel);
  void handle(machine::Peer from, wire::WorkerHello hello);
  void handle(machine::Peer from, wire::Ready ready);
  void handle(machine::Peer from, wire::SlotSettled settled);
  void handle(machine::Peer from, wire::Disagreement corrected);
  void handle(machine::Peer from, wire::ServiceTimes service);
  void handle(machine::Peer from, wire::StatusRequest probe);
  void handle(machine::Peer from, wire::Undelivered undelivered);
  void handle(machine::Peer from, wire::Undecodable undecodable);
  void handle(machine::Peer from, wire::Drain drain);
  void handle(machine::Peer from, wire::Refuse refuse);
  template <class Other>
  void handle(machine::Peer from, Other other);
  void handle_stranger(machine::Peer from);

  wire::Reason admission(wire::ProducerId producer, const wire::Submit& submit) const;
  void admit(wire::ProducerId producer, wire::Submit submit);
  void refuse(machine::Peer to, wire::RequestId request, wire::Reason reason);
  void cover(Batch& batch);
  void cover(Batch& batch, const Roster::Worker& assembler);
  void note_uncovered();
  void tell_covers(const Batch& batch, const wire::Message& message);
  void welcome(machine::Peer peer, std::size_t credit);
  void send_order(const Dispatcher::Order& order);
  void seal(Batcher::Place last);
  void settle(Task task, wire::Result result);
  void finish(std::uint64_t batch);
  void miss(Task task);
  void hedge(Task task);
  void dispatch_waiting();
  void sweep();
  void lose(const std::optional<Roster::Loss>& loss);
  void uncover(const std::optional<Roster::Loss>& loss);
  void join_sink(machine::Peer from, const wire::WorkerHello& hello);
  void join_worker(machine::Peer from, const wire::WorkerHello& hello);
  void tell_sink(wire::Message message);
  wire::Reason unfit(const wire::WorkerHello& hello) const;
  void remember(Task task, const Entry& entry, const wire::Result& result);
  bool lawful(const wire::SlotSettled& settled) const;
  bool credible(const wire::Predictions& predictions) const;
  std::vector<wire::NamedPrediction> named(const wire::Predictions& predictions) const;
  std::optional<wire::Duration> hedge_delay() const;
  wire::BatchSealed ages(const Batch& batch) const;
  void miss_all();
  void report_requests(machine::Telemetry& report) const;
  void report_tasks(machine::Telemetry& report) const;
  void report_workers(machine::Telemetry& report) const;
  void lose_sink();

  // Kept until its connection fails or another says hello, for one that was deaf for a while still
  // has the answers, and no other sink would come any sooner for being expected.
  struct Sink {
    wire::WorkerId id;
    machine::Peer peer;
  };

  const Policy policy_;
  const wire::Epoch epoch_;
  const wire::Slot slots_;
  const std::uint64_t labels_hash_;
  Batcher batcher_;
  Dispatcher dispatcher_;
  Roster assemblers_;
  Ledger ledger_;
  Sessions sessions_;
  Corrections corrections_;
  std::optional<Sink> sink_;
  wire::ServiceTimes service_;  // As the sink last told.
  wire::Sequence sequence_;
  wire::Instant next_sweep_;
  std::optional<wire::Instant> drain_until_;
  std::optional<wire::Instant> uncovered_noted_;
  Counters counters_;
  std::array<machine::Histogram, 4> latencies_;  // Admission to result, by wire::Source.

  // One turn: set on entry, handed out on exit.
  wire::Instant now_;
  machine::Actions actions_;
};

}  // namespace broker
