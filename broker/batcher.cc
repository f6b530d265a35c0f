#include "broker/batcher.h"

#include "wire/check.h"

namespace broker {

Batcher::Batcher(wire::Epoch epoch, wire::Slot slots, wire::Duration linger)
    : epoch_(epoch), slots_(slots), linger_(linger) {
  COLLAGE_CHECK(slots >= 1 && slots <= wire::kSlotsMax);
  COLLAGE_CHECK(linger >= wire::Duration::zero());
}

Batcher::Place Batcher::add(wire::Instant now) {
  Place place;
  place.opened = filled_ == 0;
  if (place.opened) {
    sequence_ = ++last_;
    seal_at_ = now + linger_;
  }
  place.batch = {epoch_, {sequence_}};
  place.slot = filled_++;
  place.sealed = filled_ == slots_;
  if (place.sealed) filled_ = 0;
  return place;
}

wire::BatchId Batcher::next() { return {epoch_, {++last_}}; }

std::optional<Batcher::Place> Batcher::on_timeout(wire::Instant now) {
  if (filled_ == 0 || now < seal_at_) return std::nullopt;
  return flush();
}

std::optional<wire::BatchId> Batcher::open() const {
  if (filled_ == 0) return std::nullopt;
  return wire::BatchId{epoch_, {sequence_}};
}

std::optional<Batcher::Place> Batcher::flush() {
  if (filled_ == 0) return std::nullopt;
  const Place last{{epoch_, {sequence_}}, static_cast<wire::Slot>(filled_ - 1), false, true};
  filled_ = 0;
  return last;
}

std::optional<wire::Instant> Batcher::next_timeout() const {
  if (filled_ == 0) return std::nullopt;
  return seal_at_;
}

}  // namespace broker
