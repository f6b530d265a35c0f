#include "producer/push/pusher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "wire/check.h"

namespace producer {

using machine::Actions;
using wire::Duration;
using wire::Instant;
using wire::ResultStatus;

namespace {

// Bound what is read in one turn, so that reading files does not delay answers, and `ready_`.
constexpr std::size_t kReadyMax = 32;
constexpr std::size_t kReadyBytesMax = std::size_t{1} << 20;
constexpr std::size_t kLaterMax = 1024;  // Bounds `later_`.
constexpr double kAheadS = 0.1;          // At a rate, images that are due so soon are read.
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

// Why an image has no answer, for the summary; empty if it has one.
std::string cause_of(const Line& line) {
  if (line.kind == Line::Kind::unreadable) return "unreadable (" + line.error + ")";
  if (line.kind == Line::Kind::interrupted) return "interrupted";
  if (line.result.status == ResultStatus::answered) return {};
  const std::string status(to_string(line.result.status));
  if (line.result.reason == wire::Reason::none) return status;
  const std::string format = line.format.empty() ? "" : ": " + line.format;
  return status + " (" + std::string(to_string(line.result.reason)) + format + ")";
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
  if (std::holds_alternative<wire::Drain>(message) && !drain_until_) interrupt(now);
  return turn(client_.on_message(from, std::move(message), now), now);
}

Actions Pusher::on_timeout(Instant now) { return turn(client_.on_timeout(now), now); }

Actions Pusher::on_done(wire::WorkId, machine::Outcome, Instant now) { return on_timeout(now); }

Actions Pusher::turn(Actions actions, Instant now) {
  if (!started_) started_ = now;
  if (!reached_ && client_.joined()) reach(now, actions);
  report_results();
  if (reached_) {
    if (submit_ready(now)) {
      // Sends what was submitted; otherwise it would wait for the next iteration.
      actions.append(client_.on_timeout(now));
      report_results();
    } else if (may_read() && submitted_at_ != now && (!again_ || *again_ <= now)) {
      read(now);
    }
  }
  report_corrections();
  actions.finished = done(now);
  return actions;
}

std::optional<Instant> Pusher::next_timeout() const {
  std::optional<Instant> next = client_.next_timeout();
  const auto sooner = [&next](Instant t) { next = next ? std::min(*next, t) : t; };
  // After the instant `t`, if there was one.
  const auto after = [](std::optional<Instant> t) { return t ? *t + Duration(1) : Instant{}; };
  if (started_ && !reached_) sooner(*started_ + policy_.reach_max);
  if (drain_until_) sooner(*drain_until_);
  if (reached_ && may_read()) sooner(std::max(after(submitted_at_), again_.value_or(Instant{})));
  // A client that is full takes an image once it has delivered another, and that is a message.
  if (reached_ && !ready_.empty() && !full_) {
    if (policy_.rate > 0) sooner(std::max(after(read_at_), due()));
    if (policy_.rate <= 0 && room() > 0) sooner(after(read_at_));
  }
  return next;
}

void Pusher::reach(Instant now, Actions& actions) {
  reached_ = true;
  first_due_ = now;  // The wait for the broker is not part of any latency.
  const Duration most = client_.welcome().deadline_max;
  if (most > Duration{} && policy_.deadline > most) {
    actions.log(machine::LogMessage::Level::warning,
                "the pipeline gives an image " +
                    std::to_string(most / std::chrono::milliseconds(1)) +
                    " ms at most, which is less than --deadline");
  }
}

// Images that were read must be reported, although they were never submitted.
void Pusher::interrupt(Instant now) {
  drain_until_ = now + policy_.drain_max;
  ended_ = true;
  for (auto& [before, line] : later_) before = std::min(before, next_);
  for (Item& item : std::exchange(ready_, {})) {
    report_in_turn({.kind = Line::Kind::interrupted, .file = std::move(item.file)}, next_);
  }
  ready_bytes_ = 0;
  report_later();
}

// --- to the client ---

Instant Pusher::due() const {
  return first_due_ + wire::from_seconds(static_cast<double>(images_) / policy_.rate);
}

std::size_t Pusher::room() const {
  const std::size_t open = std::min(pace_.window(), client_.unanswered());
  return std::min(client_.window(), pace_.window() - open);
}

bool Pusher::may_submit(Instant now) const {
  if (ready_.empty() || read_at_ == now) return false;
  return policy_.rate > 0 ? due() <= now : room() > 0;
}

// Returns true if anything was submitted.
bool Pusher::submit_ready(Instant now) {
  full_ = false;
  bool any = false;
  while (may_submit(now) && submit_next(now)) any = true;
  if (any) submitted_at_ = now;
  return any;
}

// Returns false if the client is full.  At a rate the image stays due then.
bool Pusher::submit_next(Instant now) {
  // The latency counts from the due time, so that a full client does not hide its delay.
  const Instant was_due = policy_.rate > 0 ? std::min(due(), now) : now;
  SubmitOptions options{.deadline = policy_.deadline,
                        .stream = policy_.in_order ? std::optional(kStream) : std::nullopt,
                        .priority = policy_.priority,
                        .latest = policy_.latest ? kLatest : 0};
  const Duration most = client_.welcome().deadline_max;
  if (most > Duration{}) options.deadline = std::min(options.deadline, most);
  const bool over = options.deadline > Duration{} && now - was_due >= options.deadline;
  if (options.deadline > Duration{}) options.deadline -= now - was_due;
  Item& item = ready_.front();
  if (!over) {
    const Client::Submitted submitted = client_.submit(next_, item.image, options, now);
    full_ = submitted != Client::Submitted::queued;
    if (full_) return false;
    pending_.emplace(
        next_, Pending{std::move(item.file), was_due, now, imaging::format_of(item.image.bytes())});
    ++next_.value;
  } else {
    Line line{.file = std::move(item.file), .result = {}, .latency = now - was_due};
    line.result.reason = wire::Reason::no_credit;
    report_in_turn(std::move(line), next_);
  }
  ready_bytes_ -= item.image.size();
  ready_.pop_front();
  ++images_;
  return true;
}

// --- from the source ---

bool Pusher::may_read() const {
  if (ended_ || ready_.size() >= kReadyMax || ready_bytes_ >= kReadyBytesMax) return false;
  if (policy_.rate > 0) {
    return ready_.size() < 1 + static_cast<std::size_t>(policy_.rate * kAheadS);
  }
  return ready_.size() < room();
}

void Pusher::read(Instant now) {
  again_.reset();
  for (std::size_t i = 0; i < kReadyMax && may_read(); ++i) {
    // Lines wait for the result of an earlier image; with no bound, a directory of unreadable files
    // would fill the memory meanwhile.
    const bool more = later_.size() < kLaterMax;
    Item item = more ? source_(client_.welcome().image_bytes_max)
                     : Item{.kind = Item::Kind::later, .file = {}, .image = {}, .error = {}};
    if (item.kind == Item::Kind::later) {
      again_ = now + kAskAgain;
      return;
    }
    read_at_ = now;
    if (item.kind == Item::Kind::end) {
      ended_ = true;
    } else {
      take(std::move(item));
    }
  }
}

void Pusher::take(Item item) {
  ++tally_.taken;
  if (item.kind == Item::Kind::image) {
    ready_bytes_ += item.image.size();
    ready_.push_back(std::move(item));
    return;
  }
  Line line{.kind = Line::Kind::unreadable, .file = item.file, .error = item.error};
  if (item.kind == Item::Kind::too_large) {
    line.kind = Line::Kind::delivered;
    line.result.status = wire::ResultStatus::refused;
    line.result.reason = wire::Reason::image_too_large;
  }
  report_in_turn(std::move(line), {next_.value + ready_.size()});
}

// --- to the report ---

// What a result says about the pace.  An image that is missing for want of a broker or a stage says
// nothing about how many there may be.
void Pusher::follow(const wire::Result& result, std::size_t open) {
  if (result.status == ResultStatus::answered) pace_.on_answer();
  const bool crowd = result.reason == wire::Reason::overloaded ||
                     result.reason == wire::Reason::no_answer ||
                     result.reason == wire::Reason::none;
  if (result.status == ResultStatus::missing && crowd) pace_.on_setback(open);
  pace_.on_done();
}

void Pusher::report_results() {
  std::vector<Delivered> results = client_.take_results();
  std::size_t open = client_.unanswered() + results.size();
  for (Delivered& delivered : results) {
    follow(delivered.result, open--);
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
    Line line{.file = std::move(pending.file),
              .result = std::move(delivered.result),
              .latency = delivered.latency + waited};
    if (line.result.reason == wire::Reason::unsupported_image) {
      line.format = imaging::name_of(pending.format);
    }
    report_line(std::move(line));
    report_later();
  }
  // The client retries what is refused, so that most refusals never become a result.
  const std::uint64_t refused = client_.counters().refused_for_now;
  if (refused > refused_) pace_.on_setback(client_.unanswered());
  refused_ = refused;
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

// Reports a line of an image that was not submitted; in order, once all requests before `before`
// are reported.
void Pusher::report_in_turn(Line line, wire::RequestId before) {
  later_.emplace_back(before, std::move(line));
  report_later();
}

void Pusher::report_later() {
  const auto waits = [this](wire::RequestId before) {
    const bool open = !pending_.empty() && pending_.begin()->first < before;
    return policy_.in_order && (open || next_ < before);
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
  const std::string cause = cause_of(line);
  if (!cause.empty()) ++tally_.causes[cause];
  if (cause.empty()) tally_.latencies.observe(line.latency);
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
  return ended_ && ready_.empty() && pending_.empty() && client_.correctable() == 0;
}

}  // namespace producer
