#include "stages/sent_answers.h"

#include <utility>

namespace stages {

// Deadlines do not quite rise, so a passed one may stay for a while behind another that has not.
void SentAnswers::forget_old(wire::Instant now) {
  while (!kept_.empty() && (kept_.size() > kept_max_ || kept_.front().deadline <= now)) {
    kept_.pop_front();
  }
}

void SentAnswers::send(wire::SinkIndex sink, wire::BatchId batch, wire::Message answer,
                       wire::Instant deadline, wire::Instant now, machine::Actions& actions) {
  actions.send(peer(sink), answer);
  kept_.push_back({sink, batch, deadline, std::move(answer)});
  forget_old(now);
}

std::size_t SentAnswers::redirect(const wire::Redirect& redirect, wire::Instant now,
                                  machine::Actions& actions) {
  forget_old(now);
  std::size_t sent = 0;
  for (Kept& kept : kept_) {
    if (kept.sink != redirect.from || kept.batch < redirect.oldest) continue;
    kept.sink = redirect.to;
    actions.send(peer(redirect.to), kept.answer);
    sent += 1;
  }
  return sent;
}

}  // namespace stages
