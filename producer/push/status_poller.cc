#include "producer/push/status_poller.h"

#include <algorithm>
#include <utility>

namespace producer {

using machine::Actions;
using wire::Instant;

Actions StatusPoller::on_message(machine::Peer, wire::Message message, Instant now) {
  if (auto* status = std::get_if<wire::Status>(&message)) status_ = std::move(*status);
  if (std::holds_alternative<wire::Drain>(message)) give_up_ = now;
  return on_timeout(now);
}

Actions StatusPoller::on_timeout(Instant now) {
  if (!give_up_) give_up_ = now + reach_max_;
  Actions actions;
  actions.finished = status_.has_value() || now >= *give_up_;
  if (!actions.finished && now >= ask_due_) {
    actions.send({.link = 0, .id = 0}, wire::StatusRequest{});
    ask_due_ = now + repeat_;
  }
  return actions;
}

Actions StatusPoller::on_done(wire::WorkId, machine::Outcome, Instant now) {
  return on_timeout(now);
}

std::optional<Instant> StatusPoller::next_timeout() const {
  return give_up_ ? std::min(ask_due_, *give_up_) : ask_due_;
}

}  // namespace producer
