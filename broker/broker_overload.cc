// Broker under overload: who is admitted, who waits, and what the collages are for.
//
// Normally an image gets its slot at admission, is given to an s-CNN or waits for one, and a
// collage is made as cover.  Under overload an image waits outside of any batch until a stage can
// take it:
//
//     admitted -> line -> a free s-CNN                        a batch of its own
//                   \---> an idle collage stage, up to N      a batch without singles (brownout)
//     at an s-CNN for longer than patience -> the next such batch, in one of its slots
//
// With Policy::brownout off, or a policy without collages, only s-CNNs take images from the line,
// and what cover there is goes on as ever.
#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "wire/check.h"

namespace broker {

using wire::Reason;
using wire::ResultStatus;
using Level = machine::LogMessage::Level;

namespace {

// An image that waited in the line, or moves to the batch of a collage, has this slot from now on.
void trace_placed(const Batch& batch, const Entry& entry, wire::Instant now,
                  machine::Actions& actions) {
  actions.traces.push_back({.what = "placed",
                            .batch = batch.id,
                            .slot = entry.task.slot,
                            .age = now - entry.admitted,
                            .batch_age = now - batch.opened,
                            .producer = entry.producer,
                            .request = entry.request});
}

}  // namespace

bool Broker::brownout() const {
  return overload_.on() && policy_.brownout && policy_.redundancy.collages_per_batch > 0;
}

wire::Duration Broker::patience() const {
  return service_.patience > wire::Duration::zero() ? service_.patience : policy_.hedge_after;
}

void Broker::update_overload() {
  // Tied images wait for two stages each, so that the line is not theirs alone.
  if (policy_.redundancy.ties > 0) return;
  const Overload::Singles singles{.waiting = dispatcher_.waiting() + line_.size(),
                                  .per_second = dispatcher_.roster().per_second(),
                                  .patience = patience()};
  if (!overload_.update(singles, now_)) return;
  if (overload_.on()) {
    counters_.overloads += 1;
    actions_.log(Level::warning, "overloaded: more images come than the s-CNNs can classify");
  } else {
    actions_.log(Level::info, "not overloaded any more");
    for (const Task task : std::exchange(late_, {})) look(task);
  }
}

// --- admission by time ---

// Images a second that leave the line.
double Broker::line_rate() const {
  double rate = dispatcher_.roster().per_second().value_or(0);
  if (brownout()) rate += slots_ * covers_.roster().per_second().value_or(0);
  return rate;
}

std::optional<wire::Duration> Broker::expected_wait(wire::ProducerId producer,
                                                    wire::Priority priority) const {
  // Images that wait from before the overload have a place in a batch, and wait for an s-CNN alone.
  const auto collage = brownout() ? covers_.free_at(false, now_) : std::nullopt;
  if (line_.empty() && (dispatcher_.free() || collage)) return wire::Duration::zero();
  const double rate = line_rate();
  if (rate <= 0) return std::nullopt;
  const std::uint32_t weight = sessions_.terms(producer).weight;
  const std::size_t ahead = dispatcher_.waiting() + line_.ahead(producer, priority, weight);
  return wire::from_seconds(static_cast<double>(ahead + 1) / rate);
}

Reason Broker::admission_by_time(wire::ProducerId producer, const wire::Submit& submit) const {
  if (!overload_.on()) return Reason::none;
  const auto wait = expected_wait(producer, submit.priority);
  // Without any stage nothing can be foretold; one may join before the deadline.
  if (!wait) return Reason::none;
  const wire::Duration answer = *wait + dispatcher_.roster().service().mean();
  const bool in_time = *wait <= policy_.wait_max && answer <= time_limit(submit);
  return in_time ? Reason::none : Reason::overloaded;
}

// When what waits now will have left the line.
wire::Duration Broker::retry_hint() const {
  const double rate = line_rate();
  if (!overload_.on() || rate <= 0) return policy_.retry_after;
  const auto waiting = static_cast<double>(dispatcher_.waiting() + line_.size());
  // Not std::clamp: a pipeline may have a deadline below retry_after.
  return std::max(policy_.retry_after,
                  std::min(wire::from_seconds(waiting / rate), policy_.deadline));
}

// --- the line ---

void Broker::admit_waiting(Entry entry) {
  // Who asks for little shall have it soon, whatever the others ask for.
  entry.favoured =
      entry.priority == wire::Priority::high || line_.waiting(entry.producer, entry.priority) == 0;
  Entry& added = ledger_.add_waiting(std::move(entry));
  sessions_.open(added.producer, added.request, added.task, added.latest);
  corrections_.forget(added.producer, added.request);
  actions_.traces.push_back({.what = "admitted",
                             .batch = {},
                             .slot = std::nullopt,
                             .age = wire::Duration{},
                             .producer = added.producer,
                             .request = added.request});
  line_.push({added.task, added.producer, added.priority, sessions_.terms(added.producer).weight});
  serve_line();
}

// The image whose turn it is.  One that no stage could answer in time any more ends here, so that
// no stage works on it in vain.
std::optional<Line::Image> Broker::next_in_line() {
  while (const auto image = line_.pop()) {
    const Entry* entry = ledger_.find(image->task);
    COLLAGE_CHECK(entry != nullptr);
    if (entry->deadline - now_ >= dispatcher_.roster().service().mean() / 2) return image;
    miss(image->task);
  }
  return std::nullopt;
}

void Broker::serve_line() {
  while (!line_.empty() && dispatcher_.free()) {
    if (const auto image = next_in_line()) start_single(image->task);
  }
  while (const auto free_at = collage_at()) {
    if (*free_at > now_) return;
    const std::vector<Task> tasks = take_for_collage();
    if (tasks.empty()) return;
    start_collage(tasks);
  }
}

// When the next collage of waiting images should be started; nullopt if none can be.
std::optional<wire::Instant> Broker::collage_at() const {
  if (!brownout()) return std::nullopt;
  const std::size_t images = late_.size() + line_.size();
  if (images == 0) return std::nullopt;
  return covers_.free_at(images >= slots_, now_);
}

void Broker::start_single(Task task) {
  if (!brownout()) {
    const Batcher::Place place = batcher_.add(now_);
    Batch& batch =
        place.opened ? open_batch(place.batch) : *ledger_.find_batch(place.batch.sequence.value);
    place_waiting(task, batch, now_ + first_look());
    if (place.sealed) seal(place);
    return;
  }
  counters_.batches += 1;  // Not uncovered: no collage stage was looked for.
  Batch& batch = ledger_.open(batcher_.next(), now_);
  sinks_.open(batch, now_, actions_);
  // Most of those that are late at 1 x patience come soon after it, but stragglers do not.
  const bool favoured = ledger_.find(task)->favoured;
  place_waiting(task, batch, now_ + (favoured ? patience() : patience() * 3 / 2));
  ledger_.seal(batch);
  sinks_.send_sealed(batch, now_, actions_);
}

void Broker::place_waiting(Task task, Batch& batch, wire::Instant look_at) {
  Entry& entry = ledger_.place(task, batch, look_at);
  sessions_.place(entry.producer, entry.request, entry.task);
  trace_placed(batch, entry, now_, actions_);
  if (const auto order = dispatcher_.dispatch_first(entry, now_)) send_order(*order);
  if (const auto order = dispatcher_.probe(entry, now_)) send_order(*order);
  covers_.send_image(batch, entry, now_, actions_);
}

std::vector<Task> Broker::take_for_collage() {
  std::vector<Task> tasks;
  // The late ones first: they are nearest to their deadlines, and few.
  while (tasks.size() < slots_ && !late_.empty()) {
    tasks.push_back(late_.front());
    late_.pop_front();
  }
  std::vector<Line::Image> left;
  while (tasks.size() < slots_) {
    const auto image = next_in_line();
    if (!image) break;
    if (ledger_.find(image->task)->favoured && left.size() < left_to_singles()) {
      left.push_back(*image);
    } else {
      tasks.push_back(image->task);
    }
  }
  // No collage stage idles while an image waits.  More may be left than a collage has slots.
  if (tasks.empty()) {
    const auto end =
        left.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(left.size(), slots_));
    for (auto image = left.begin(); image != end; ++image) tasks.push_back(image->task);
    left.erase(left.begin(), end);
  }
  for (; !left.empty(); left.pop_back()) line_.put_back(left.back());
  return tasks;
}

// So many favoured images are not put into collages with others, for s-CNNs will take them within
// half of their patience.
std::size_t Broker::left_to_singles() const {
  const double singles = dispatcher_.roster().per_second().value_or(0);
  const auto soon = static_cast<std::size_t>(singles * wire::to_seconds(patience()) / 2);
  return soon - std::min(soon, dispatcher_.waiting());
}

void Broker::start_collage(const std::vector<Task>& tasks) {
  counters_.batches += 1;
  Batch& batch = ledger_.open(batcher_.next(), now_);
  batch.collage_only = true;
  // If the collage does not come, an s-CNN is asked after all.  Not before all but the slowest
  // stragglers have come: it would be asked for nine images at once.
  const ServiceTime& service = covers_.roster().service();
  const wire::Duration slow = std::max({service.high(), service_.p99, policy_.hedge_after});
  covers_.assign_batch(batch, now_);
  // A batch that is prepared ahead waits for the one before.
  const bool ahead = covers_.outstanding(batch) > 1;
  const wire::Instant begins = now_ + (ahead ? service.mean() : wire::Duration::zero());
  sinks_.open(batch, now_, actions_);
  for (const Task task : tasks) {
    const Entry& waiting = *ledger_.find(task);
    // Half of its time is for the s-CNN, however late collages may have been.
    const wire::Instant late = std::min(begins + (waiting.favoured ? patience() : slow),
                                        now_ + (waiting.deadline - now_) / 2);
    Entry& entry = ledger_.place(task, batch, late);
    sessions_.place(entry.producer, entry.request, entry.task);
    trace_placed(batch, entry, now_, actions_);
    covers_.send_image(batch, entry, now_, actions_);
  }
  ledger_.seal(batch);
  count_fill(batch);
  sinks_.send_sealed(batch, now_, actions_);
  covers_.seal(batch, now_, actions_);
}

// The collage of this image is late or lost.  A single is all that is left, so it goes first.
void Broker::rescue(Entry& entry) {
  if (entry.waiting > 0) return;
  counters_.rescued += 1;
  if (const auto order = dispatcher_.dispatch_first(entry, now_)) send_order(*order);
}

void Broker::rescue_batch(std::uint64_t number) {
  const Batch* batch = ledger_.find_batch(number);
  if (!batch || !batch->collage_only || !batch->covers.empty()) return;
  for (wire::Slot slot = 0; slot < batch->slots.size(); ++slot) {
    if (Entry* entry = ledger_.find({number, slot})) rescue(*entry);
  }
}

}  // namespace broker
