// The basic types of the pipeline: ids that cannot be mixed up, durations and points in time.
//
// All of them are values: cheap to copy, ordered, without clocks and I/O.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace wire {

// A number that names one kind of thing; two kinds never mix.
template <class Tag>
struct Id {
  std::uint64_t value = 0;
  friend auto operator<=>(const Id&, const Id&) = default;
};

// 128 random bits that identify a process as long as it lives, over any number of connections.
template <class Tag>
struct LongId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const LongId&, const LongId&) = default;
};

using ClassId = Id<struct ClassTag>;      // Index into the model's class names.
using RequestId = Id<struct RequestTag>;  // Chosen by the producer, unique among its open requests.
using WorkId = Id<struct WorkTag>;        // Identifies a piece of Work within one machine.
using Epoch = Id<struct EpochTag>;        // One life of a broker or of an assembler.
using Sequence = Id<struct SequenceTag>;  // Counts up within one life of the process that owns it.
using ProducerId = LongId<struct ProducerTag>;
using WorkerId = LongId<struct WorkerTag>;

using Duration = std::chrono::nanoseconds;

// A batch of one broker's life.  A restarted broker draws a new epoch, so an answer to a
// batch of the old one fits no batch of the new.
struct BatchId {
  Epoch epoch;
  Sequence sequence;
  friend auto operator<=>(const BatchId&, const BatchId&) = default;
};

// The position of an image in its batch: 0 <= slot < number of cells of the grid.
using Slot = std::uint8_t;
inline constexpr int kGridSideMin = 2;
inline constexpr int kGridSideMax = 5;
inline constexpr std::size_t kSlotsMax = kGridSideMax * kGridSideMax;

// Which of a pipeline's sinks: an index into its list of endpoints for answers.
using SinkIndex = std::uint8_t;
inline constexpr std::size_t kSinksMax = 16;

// A point on the monotonic timeline of one process.  It offers no now(): only the loop and
// the simulator can make one, so nothing else can read a clock.
struct Instant {
  Duration since_start{};
  friend auto operator<=>(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant t, Duration d) { return {t.since_start + d}; }
  friend constexpr Instant operator-(Instant t, Duration d) { return {t.since_start - d}; }
  friend constexpr Duration operator-(Instant a, Instant b) {
    return a.since_start - b.since_start;
  }
};

// The longest duration on the wire.  Real ones are milliseconds to minutes; a longer one is an
// error of the peer.
inline constexpr Duration kDurationMax = std::chrono::hours(24);

constexpr double to_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }
constexpr Duration from_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

}  // namespace wire
