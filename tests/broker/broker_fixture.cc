#include "tests/broker/broker_fixture.h"

#include <algorithm>

namespace broker {

Policy small_policy(std::string_view redundancy) {
  Policy policy;
  policy.grid = 2;
  policy.linger = 40ms;
  policy.redundancy = named_redundancy(redundancy).value();
  policy.hedge_after = 200ms;
  policy.hedge_rate_max = 1;
  policy.suspect_factor = 1.5;
  policy.task_age_max = 5s;
  policy.heartbeat = 100ms;
  policy.deadline = 1s;
  policy.image_bytes_max = 100;
  policy.open_bytes_max = 400;
  policy.open_request_max = 8;
  policy.producer_max = 2;
  policy.producer_credit = 6;
  policy.worker_max = 3;
  policy.retry_after = 30ms;
  policy.drain_max = 500ms;
  policy.labels = {"cat", "dog"};
  return policy;
}

void BrokerTest::make(Policy policy) {
  broker = std::make_unique<Broker>(std::move(policy), kEpoch);
  sent_.clear();
  notes.clear();
  now = {};
  take(broker->on_timeout(now));
}

void BrokerTest::take(machine::Actions actions) {
  EXPECT_FALSE(actions.work.has_value());
  for (machine::Outgoing& out : actions.messages) sent_.push_back(std::move(out));
  for (machine::LogMessage& note : actions.logs) notes.push_back(std::move(note));
  finished = actions.finished;
}

void BrokerTest::say(machine::Peer from, wire::Message message) {
  take(broker->on_message(from, std::move(message), now));
}

void BrokerTest::advance(wire::Duration t) {
  int turns = 0;
  for (auto next = broker->next_timeout(); next && *next <= at(t) && !finished;
       next = broker->next_timeout()) {
    now = std::max(now, *next);
    take(broker->on_timeout(now));
    ASSERT_LT(++turns, 10000) << "the broker keeps itself busy";
  }
  now = at(t);
}

void BrokerTest::pause(wire::Duration t) {
  now = at(t);
  take(broker->on_timeout(now));
}

void BrokerTest::join_producer(std::uint64_t n) { say(producer(n), wire::ProducerHello{{1, n}}); }

void BrokerTest::join_worker(std::uint64_t n, std::uint32_t capacity) {
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 0, "s1"};
  say(worker(n), wire::WorkerHello{{2, n}, wire::Role::classifier, model, capacity});
}

void BrokerTest::join_assembler(std::uint64_t n, std::uint32_t capacity) {
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 2, "c1"};
  say(assembler(n), wire::WorkerHello{{3, n}, wire::Role::assembler, model, capacity});
}

void BrokerTest::join_sink(std::uint64_t id, machine::Peer peer, wire::SinkIndex index) {
  say(peer, wire::WorkerHello{{4, id}, wire::Role::sink, {}, 0, {}, index});
}

void BrokerTest::submit(std::uint64_t producer_number, std::uint64_t request, std::size_t bytes,
                        wire::Duration remaining) {
  say(producer(producer_number),
      wire::Submit{{request}, remaining, wire::Payload(wire::Payload::Bytes(bytes))});
}

void BrokerTest::cancel(std::uint64_t producer_number, std::uint64_t request) {
  say(producer(producer_number), wire::Cancel{{request}});
}

void BrokerTest::ready(machine::Peer from, std::uint64_t seen, std::vector<wire::Sequence> held,
                       bool leaving) {
  say(from, wire::Ready{{seen}, std::move(held), leaving});
}

void BrokerTest::settle(wire::BatchId batch, wire::Slot slot, wire::Source source,
                        wire::Verdict verdict) {
  say(kSink, wire::SlotSettled{batch, slot, source, std::move(verdict), "v1"});
}

std::vector<std::uint64_t> BrokerTest::results(std::uint64_t producer_number,
                                               wire::ResultStatus status) {
  std::vector<std::uint64_t> requests;
  for (const auto& result : received<wire::Result>(producer(producer_number))) {
    if (result.status == status) requests.push_back(result.request.value);
  }
  return requests;
}

std::uint64_t BrokerTest::counter(std::string_view name) const {
  for (const wire::Counter& one : broker->status().counters) {
    if (one.name == name) return one.value;
  }
  ADD_FAILURE() << "no counter is called " << name;
  return 0;
}

bool BrokerTest::noted(std::string_view part) const {
  return std::any_of(notes.begin(), notes.end(), [part](const machine::LogMessage& note) {
    return note.text.find(part) != std::string::npos;
  });
}

}  // namespace broker
