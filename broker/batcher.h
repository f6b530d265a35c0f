// Groups images into batches: decides which images share a collage.
//
//     add add add ... add            add add ........ linger over
//     [0] [1] [2] ... [8] sealed     [0] [1]                sealed with 2 of 9
//
// A batch opens with its first image and is sealed when its grid is full or its linger is over,
// whichever comes first.  The owner may prolong the linger (linger_until): once the broker has
// learned patience and how long collages take, a batch stays open until a collage could only just
// be there when patience ends.  Images are never held back: a place is given on arrival, and linger
// delays only the collage.
//
// Batcher is pure: callers pass `now`, which never goes back.  At most one batch is open to
// images at any time.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/types.h"

namespace broker {

class Batcher {
 public:
  struct Place {
    wire::BatchId batch;
    wire::Slot slot = 0;
    bool opened = false;  // This image is the first of its batch.
    bool sealed = false;  // This image is the last of its batch.
  };

  // Requires 1 <= slots <= wire::kSlotsMax and linger >= 0.
  Batcher(wire::Epoch epoch, wire::Slot slots, wire::Duration linger);

  // Gives the next image its place.
  Place add(wire::Instant now);

  // Names a batch that the caller fills and seals itself.
  wire::BatchId next();

  // Seals the open batch if its linger is over; returns the place of its last image.
  std::optional<Place> on_timeout(wire::Instant now);

  // Keeps the open batch from being sealed before `until`.
  void linger_until(wire::Instant until) { seal_at_ = until; }
  // The open batch; nullopt if none is open.
  std::optional<wire::BatchId> open() const;

  // Seals the open batch whatever its age, as a draining broker does.
  std::optional<Place> flush();

  // When on_timeout next has work to do; nullopt while no batch is open.
  std::optional<wire::Instant> next_timeout() const;

 private:
  const wire::Epoch epoch_;
  const wire::Slot slots_;
  const wire::Duration linger_;
  std::uint64_t last_ = 0;      // Sequence of the last batch that was named.
  std::uint64_t sequence_ = 0;  // Sequence of the open batch; of no meaning if none is open.
  wire::Slot filled_ = 0;       // Slots of the open batch that are taken; 0 if none is open.
  wire::Instant seal_at_;
};

}  // namespace broker
