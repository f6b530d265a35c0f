#include "broker/sink_link.h"

#include <utility>

#include "wire/check.h"

namespace broker {

bool SinkLink::join(wire::WorkerId id, machine::Peer peer) {
  const bool same = is(peer) && sink_->id == id;
  sink_ = Sink{id, peer};
  return !same;
}

wire::WorkerId SinkLink::leave() {
  COLLAGE_CHECK(sink_.has_value());
  return std::exchange(sink_, std::nullopt)->id;
}

void SinkLink::send(wire::Message message, machine::Actions& actions) const {
  if (sink_) actions.send(sink_->peer, std::move(message));
}

void SinkLink::send_opened(const Batch& batch, wire::Instant now, machine::Actions& actions) const {
  send(wire::BatchOpened{batch.id, slots_, now - batch.opened, !batch.covers.empty()}, actions);
}

void SinkLink::send_sealed(const Batch& batch, wire::Instant now, machine::Actions& actions) const {
  wire::BatchSealed sealed{batch.id, {}, batch.collage_only};
  for (const wire::Instant admitted : batch.admitted) sealed.ages.push_back(now - admitted);
  send(std::move(sealed), actions);
}

void SinkLink::send_settled(const Batch& batch, machine::Actions& actions) const {
  send(wire::BatchSettled{batch.id}, actions);
}

void SinkLink::send_health(std::vector<wire::WorkerStates> workers, wire::Status status,
                           machine::Actions& actions) const {
  for (wire::WorkerStates& part : workers) send(std::move(part), actions);
  send(std::move(status), actions);
}

void SinkLink::send_open_batches(const Ledger& ledger, wire::Instant now,
                                 machine::Actions& actions) const {
  for (const auto& [number, batch] : ledger.batches()) {
    send_opened(batch, now, actions);
    if (batch.sealed) send_sealed(batch, now, actions);
  }
}

}  // namespace broker
