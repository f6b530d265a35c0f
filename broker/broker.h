// The broker: admits images, groups and dispatches them, and answers each exactly once.
//
//   link kProducers (ROUTER)   from producers    ProducerHello, Submit, Cancel
//                              to producers      Welcome, Refuse, Result, Correction
//   link kWorkers   (ROUTER)   from stages       WorkerHello, Ready
//                              to classifiers    Welcome, Refuse, Assign, Withdraw
//                              to assemblers     Welcome, Refuse, Assign, SealCollage, DropCollage
//                              to both           Redirect
//                              from sinks        SlotSettled, Disagreement, ServiceTimes
//                              to sinks          BatchOpened, BatchSealed, BatchSettled,
//                                                WorkerStates, Status
//   both links                 from observers    StatusRequest
//                              to observers      Status
//
// It owns admission, the deadline and exactly-once; which answer is good enough is the choice of
// the batch's sink.  The life of a request:
//
//     Submit -> admitted -> dispatched (and to the assembler) -> settled by the sink -> Result
//                  |            +-- hedged, if it is late and the policy allows it
//                  |            +-- dispatched again, if its worker is lost
//                  +-- at its deadline: Result missing
//                  +-- if its producer cancels it: Result cancelled
//
// A Result from a collage may be followed by a Correction (corrections.h), to a producer that asked
// for corrections.
//
// Broker is a pure state machine (machine/machine.h).  Pictures are held by reference and never
// looked into.  Every bound is in Policy; at a bound producers are refused with a reason.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/batcher.h"
#include "broker/corrections.h"
#include "broker/counters.h"
#include "broker/covers.h"
#include "broker/dispatcher.h"
#include "broker/ledger.h"
#include "broker/line.h"
#include "broker/overload.h"
#include "broker/policy.h"
#include "broker/roster.h"
#include "broker/sessions.h"
#include "broker/sinks.h"
#include "broker/version_figures.h"
#include "broker/worker_book.h"
#include "machine/machine.h"

namespace broker {

inline constexpr std::uint32_t kProducers = 0;
inline constexpr std::uint32_t kWorkers = 1;

class Broker : public machine::Machine {
 public:
  // Requires linger < hedge_after < deadline and positive bounds, as the configuration check
  // grants.  `epoch` is drawn at random for every life of a broker.
  Broker(Policy policy, wire::Epoch epoch);
  Broker(const Broker&) = delete;  // Its parts share one source of sequences.
  Broker& operator=(const Broker&) = delete;

  machine::Actions on_message(machine::Peer from, wire::Message message,
                              wire::Instant now) override;
  machine::Actions on_timeout(wire::Instant now) override;
  machine::Actions on_done(wire::WorkId work, machine::Outcome outcome, wire::Instant now) override;
  std::optional<wire::Instant> next_timeout() const override;

  const Counters& counters() const { return counters_; }
  // All counters and gauges by name: the answer to a StatusRequest.
  wire::Status status() const;
  machine::Telemetry telemetry() const override;
  // The workers as the sink was told of them last, and where each runs.
  const WorkerBook& workers() const { return book_; }

 private:
  struct Figures;  // The table behind status() and telemetry().
  void report_workers(machine::Telemetry& report) const;

  // Dispatch by link (broker.cc).
  void on_producer(machine::Peer from, wire::Message message);
  void on_worker(machine::Peer from, wire::Message message);
  bool on_sink(machine::Peer from, wire::SinkIndex index, wire::Message& message);
  void on_anyone(machine::Peer from, const wire::Message& message);
  void refuse_peer(machine::Peer from, wire::Reason reason);
  void welcome(machine::Peer peer, std::size_t credit);
  void drain();

  // Reports to people (broker_health.cc).
  void report_health();
  void count_fill(const Batch& batch);
  void report_worker_states(machine::Telemetry& report) const;

  // Requests (broker_requests.cc).
  void on_hello(machine::Peer from, const wire::ProducerHello& hello);
  std::string key_name_of(machine::Peer from);
  void on_submit(machine::Peer from, wire::Submit submit);
  void on_cancel(machine::Peer from, const wire::Cancel& cancel);
  wire::Reason admission(wire::ProducerId producer, const wire::Submit& submit) const;
  void refuse(machine::Peer to, wire::RequestId request, wire::Reason reason);
  void admit(wire::ProducerId producer, wire::Submit submit);
  Batch& open_batch(wire::BatchId id);
  wire::Duration time_limit(const wire::Submit& submit) const;
  Entry make_entry(wire::ProducerId producer, wire::Submit submit) const;
  wire::Duration first_look() const;
  void start(Entry& entry);
  void supersede(wire::ProducerId producer, const wire::Submit& newer);
  bool waits(const Entry& entry);
  void linger(wire::BatchId open);
  void seal(Batcher::Place last);
  void settle(Task task, wire::Result result);
  void finish(std::uint64_t batch);
  void forget(const Entry& entry);
  void withdraw(const Entry& entry);
  void remember(const Entry& entry, const wire::Result& result);
  void miss(Task task);
  wire::Reason missing_reason(Task task);
  void miss_all();

  // Overload (broker_overload.cc).
  bool brownout() const;
  wire::Duration patience() const;
  void update_overload();
  double line_rate() const;
  std::optional<wire::Duration> expected_wait(wire::ProducerId producer,
                                              wire::Priority priority) const;
  wire::Reason admission_by_time(wire::ProducerId producer, const wire::Submit& submit) const;
  wire::Duration retry_hint() const;
  void admit_waiting(Entry entry);
  std::optional<Line::Image> next_in_line();
  void serve_line();
  std::optional<wire::Instant> collage_at() const;
  void start_single(Task task);
  void place_waiting(Task task, Batch& batch, wire::Instant look_at);
  std::vector<Task> take_for_collage();
  std::size_t left_to_singles() const;
  void start_collage(const std::vector<Task>& tasks);
  void rescue(Entry& entry);
  void rescue_batch(std::uint64_t number);

  // The sink's answers (broker_answers.cc).
  void on_settled(wire::SlotSettled settled);
  void on_disagreement(wire::Disagreement disagreement);
  wire::Result make_result(wire::SlotSettled settled, bool alone);
  bool well_formed(const wire::SlotSettled& settled) const;
  bool valid(const wire::Predictions& predictions) const;
  std::vector<wire::NamedPrediction> named(const wire::Predictions& predictions) const;

  // Workers (broker_workers.cc).
  void on_hello(machine::Peer from, const wire::WorkerHello& hello);
  void on_ready(machine::Peer from, const wire::Ready& ready);
  void on_worker_undelivered(machine::Peer from);
  wire::Reason refusal_reason(const wire::WorkerHello& hello) const;
  void join_sink(machine::Peer from, const wire::WorkerHello& hello);
  void join_worker(machine::Peer from, const wire::WorkerHello& hello);
  void send_order(const Dispatcher::Order& order);
  void dispatch_waiting();
  void look(Task task);
  void hedge(Entry& entry);
  bool abandoned(const Entry& entry) const;
  void dispatch_again(Entry& entry);
  void on_classifier_lost(const Roster::Loss& loss);
  void on_assembler_lost(const Roster::Loss& loss);
  void on_sink_lost(const Sinks::Lost& lost);
  void move_batches(wire::SinkIndex from, wire::SinkIndex to);
  void log_lost(const char* role, const Roster::Loss& loss, const char* tasks);
  void log_uncovered();
  wire::Duration suspect_age() const;
  wire::Duration look_every() const;
  void judge_peers();
  void sweep();

  const Policy policy_;
  const wire::Epoch epoch_;
  const wire::Slot slots_;
  const std::uint64_t labels_hash_;
  SequenceSource sequences_;
  Batcher batcher_;
  Dispatcher dispatcher_;
  Covers covers_;
  Ledger ledger_;
  Overload overload_;
  Line line_;              // Images that wait outside of any batch.
  std::deque<Task> late_;  // Under brownout: images whose s-CNN takes longer than patience.
  // The peer whose hello comes next, and the name of its key.
  std::optional<std::pair<machine::Peer, std::string>> authenticated_;
  Sessions sessions_;
  Corrections corrections_;
  Sinks sinks_;
  WorkerBook book_{WorkerBook::Policy{}};
  VersionFigures versions_;
  wire::ServiceTimes service_;  // What the sinks have learned; zeros before the first report.
  wire::Instant next_sweep_;
  bool judged_ = true;                             // The last sweep has judged the peers.
  std::optional<wire::Instant> drain_until_;       // Set while the broker drains.
  std::optional<wire::Instant> uncovered_logged_;  // When log_uncovered() last wrote a line.
  Counters counters_;
  std::array<machine::Histogram, 4> latencies_;  // Admission to result, by wire::Source.

  // One turn: set on entry, handed out on exit.
  wire::Instant now_;
  machine::Actions actions_;
};

}  // namespace broker
