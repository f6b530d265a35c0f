#include "producer/push/pusher.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace producer {

using machine::Actions;
using wire::Duration;
using wire::Instant;
using wire::ResultStatus;

namespace {

constexpr int kItemsPerTurn = 32;        // A bound, so that reading files does not delay answers.
constexpr std::size_t kLaterMax = 1024;  // Bounds `later_`.
constexpr StreamId kStream{.value = 1};  // One stream has all images.
constexpr std::uint64_t kLatest = 1;
constexpr Duration kAskAgain = std::chrono::milliseconds(10);  // The wait for an empty source.

void count(Tally& tally, const wire::Result& result) {
  switch (result.status) {
    case ResultStatus::answered:
      ++tally.answered;
      tally.single += result.source == wire::Source::single ? 1 : 0;
      tally.collage += result.source == wire::Source::collage ? 1 : 0;
      tally.hedge += result.source == wire::Source::hedge ? 1 : 0;
      tally.brownout += result.brownout ? 1 : 0;
      break;
    case ResultStatus::missing:
      ++tally.missing;
      break;
    case ResultStatus::rejected:
      ++tally.rejected;
      break;
    case ResultStatus::refused:
      ++tally.refused;
      break;
    case ResultStatus::cancelled:
      ++tally.cancelled;
      break;
    case ResultStatus::superseded:
      ++tally.superseded;
      break;
  }
}

}  // namespace

Pusher::Pusher(Policy policy, producer::Policy client, Source source, Report report)
    : policy_(policy),
      correction_max_(client.corrections ? client.correction_max : 0),
      client_(client),
      source_(std::move(source)),
      report_(std::move(report)) {
  COLLAGE_CHECK(policy_.rate >= 0 && policy_.reach_max > Duration{});
}

Actions Pusher::on_message(machine::Peer from, wire::Message message, Instant now) {
  if (std::holds_alternative<wire::Drain>(message) && !drain_until_) {
    drain_until_ = now + policy_.drain_max;
    ended_ = true;
    // The held image came from the source, so it must be reported, although it was never submitted.
    if (held_) report_in_turn({.kind = Line::Kind::interrupted, .file = held_->file});
    held_.reset();
  }
  return turn(client_.on_message(from, std::move(message), now), now);
}

Actions Pusher::on_timeout(Instant now) { return turn(client_.on_timeout(now), now); }

Actions Pusher::on_done(wire::WorkId, machine::Outcome, Instant now) { return on_timeout(now); }

Actions Pusher::turn(Actions actions, Instant now) {
  if (!started_) started_ = now;
  if (!reached_ && client_.joined()) {
    reached_ = true;
    first_due_ = now;  // The wait for the broker is not part of any latency.
  }
  report_results();
  if (reached_) {
    feed(now);
    // Sends what feed() has submitted; otherwise it would wait for the next iteration.
    actions.append(client_.on_timeout(now));
    report_results();
  }
  report_corrections();
  actions.finished = done(now);
  return actions;
}

std::optional<Instant> Pusher::next_timeout() const {
  std::optional<Instant> next = client_.next_timeout();
  const auto sooner = [&next](Instant t) { next = next ? std::min(*next, t) : t; };
  if (started_ && !reached_) sooner(*started_ + policy_.reach_max);
  if (again_) sooner(*again_);
  if (drain_until_) sooner(*drain_until_);
  if (reached_ && !ended_ && !held_ && !again_ && policy_.rate > 0) sooner(due());
  return next;
}

// --- from the source ---

Instant Pusher::due() const {
  return first_due_ + wire::from_seconds(static_cast<double>(images_) / policy_.rate);
}

bool Pusher::may_take(Instant now) const {
  if (ended_ || held_) return false;
  return policy_.rate > 0 ? due() <= now : client_.window() > 0;
}

void Pusher::feed(Instant now) {
  if (again_ && *again_ > now) return;
  again_.reset();
  if (held_ && !push_held(now)) return;
  // Lines wait for the result of an earlier image; with no bound, a directory of unreadable files
  // would fill the memory meanwhile.
  if (later_.size() >= kLaterMax) {
    again_ = now + kAskAgain;
    return;
  }
  for (int i = 0; i < kItemsPerTurn; ++i) {
    if (!may_take(now) || !take(now)) return;
  }
  if (may_take(now)) again_ = now;
}

// Takes one item.  Returns false if the source has none or the client is full.
bool Pusher::take(Instant now) {
  Item item = source_(client_.welcome().image_bytes_max);
  if (item.kind == Item::Kind::end) {
    ended_ = true;
    return false;
  }
  if (item.kind == Item::Kind::later) {
    again_ = now + kAskAgain;
    return false;
  }
  ++tally_.taken;
  // Held if the client is full: at a rate it stays due and is submitted as soon as there is room.
  if (item.kind == Item::Kind::image) {
    held_ = std::move(item);
    return push_held(now);
  }
  Line line{.kind = Line::Kind::unreadable, .file = item.file, .error = item.error};
  if (item.kind == Item::Kind::too_large) {
    line.kind = Line::Kind::delivered;
    line.result.status = ResultStatus::refused;
    line.result.reason = wire::Reason::image_too_large;
  }
  report_in_turn(std::move(line));
  return true;
}

bool Pusher::push_held(Instant now) {
  const SubmitOptions options{.deadline = policy_.deadline,
                              .stream = policy_.in_order ? std::optional(kStream) : std::nullopt,
                              .priority = policy_.priority,
                              .latest = policy_.latest ? kLatest : 0};
  const Client::Submitted submitted = client_.submit(next_, held_->image, options, now);
  if (submitted != Client::Submitted::queued) return false;
  // The latency counts from the due time, so that a full client does not hide its delay.
  const Instant was_due = policy_.rate > 0 ? std::min(due(), now) : now;
  pending_.emplace(next_, Pending{std::move(held_->file), was_due, now});
  held_.reset();
  ++next_.value;
  ++images_;
  return true;
}

// --- to the report ---

void Pusher::report_results() {
  for (Delivered& delivered : client_.take_results()) {
    const auto found = pending_.find(delivered.result.request);
    if (found == pending_.end()) continue;  // It was reported as interrupted.
    Pending pending = std::move(found->second);
    pending_.erase(found);
    const Duration waited = pending.submitted - pending.due;
    if (correction_max_ > 0 && delivered.result.source == wire::Source::collage) {
      // The client remembers no more answers than this, so older files need no correction.
      if (collages_.size() >= correction_max_) collages_.pop_front();
      collages_.emplace_back(delivered.result.request, pending.file);
    }
    report_line({.file = std::move(pending.file),
                 .result = std::move(delivered.result),
                 .latency = delivered.latency + waited});
    report_later();
  }
}

void Pusher::report_corrections() {
  for (Correction& one : client_.take_corrections()) {
    wire::Correction& correction = one.correction;
    const auto reported = std::ranges::find(collages_, correction.request,
                                            &std::pair<wire::RequestId, std::string>::first);
    if (reported == collages_.end()) continue;  // It was reported as interrupted.
    Line line{.kind = Line::Kind::corrected, .file = std::move(reported->second)};
    collages_.erase(reported);
    line.latency = one.latency;
    line.result = {.request = correction.request,
                   .status = ResultStatus::answered,
                   .source = correction.source,
                   .latency = correction.latency,
                   .predictions = std::move(correction.predictions),
                   .version = std::move(correction.version)};
    ++tally_.corrected;
    report_(line);
  }
}

void Pusher::report_in_turn(Line line) {
  later_.emplace_back(next_, std::move(line));
  report_later();
}

void Pusher::report_later() {
  const auto waits = [this](wire::RequestId next) {
    return policy_.in_order && !pending_.empty() && pending_.begin()->first < next;
  };
  while (!later_.empty() && !waits(later_.front().first)) {
    report_line(std::move(later_.front().second));
    later_.pop_front();
  }
}

void Pusher::report_line(Line line) {
  ++tally_.reported;
  tally_.unreadable += line.kind == Line::Kind::unreadable ? 1 : 0;
  tally_.interrupted += line.kind == Line::Kind::interrupted ? 1 : 0;
  if (line.kind == Line::Kind::delivered) count(tally_, line.result);
  report_(line);
}

bool Pusher::done(Instant now) {
  if (!reached_) {
    // A broker of another version will not change; any other refusal may be temporary.
    return drain_until_ || now >= *started_ + policy_.reach_max ||
           client_.refusal() == wire::Reason::wrong_protocol;
  }
  if (drain_until_ && now >= *drain_until_) {
    for (auto& [id, pending] : std::exchange(pending_, {})) {
      wire::Result result;
      result.request = id;
      report_line({.kind = Line::Kind::interrupted, .file = pending.file, .result = result});
    }
    report_later();
    return true;
  }
  return ended_ && pending_.empty() && client_.correctable() == 0;
}

}  // namespace producer
