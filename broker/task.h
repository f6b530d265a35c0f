// What names a piece of work: a Task within the broker, a sequence to the worker that is given it.
#pragma once

#include <compare>
#include <cstdint>

#include "wire/types.h"

namespace broker {

// Names one slot of a batch of this broker's life, or (slot = kWholeBatch) all of its slots.
struct Task {
  std::uint64_t batch = 0;  // BatchId::sequence.
  wire::Slot slot = 0;
  friend auto operator<=>(const Task&, const Task&) = default;
};
inline constexpr wire::Slot kWholeBatch = 0xff;
// The slot of an image that waits outside of any batch; `batch` is then its number in the line.
inline constexpr wire::Slot kWaiting = 0xfe;

// Counts every task of a broker's life.  Dispatcher and Covers draw from the same source, so a
// sequence never names two tasks, whatever the role of the worker.
class SequenceSource {
 public:
  wire::Sequence next() {
    last_.value += 1;
    return last_;
  }

 private:
  wire::Sequence last_;
};

}  // namespace broker
