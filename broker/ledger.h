// One entry per request, from admission to its answer.
//
// An image has a slot of a batch from its admission on, or waits outside of any batch first
// (add_waiting) and gets its slot when a stage can take it (place).  place() also moves an image
// whose s-CNN is late into the batch of a collage: its answer may come under either slot, and the
// former batch stays open until the image is settled.
//
// The ledger makes answers exactly-once: settle() hands an entry over once and never again.  Until
// then the ledger holds the image (one reference) and keeps the deadline and the next look in
// order.  It forgets a batch when the batch is sealed and all of its slots are settled.
//
// Ledger is pure.  Timers are ordered by instant, then batch, then slot.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "broker/task.h"
#include "wire/message.h"
#include "wire/payload.h"
#include "wire/types.h"

namespace broker {

struct Entry {
  Task task;  // Set by Ledger::add.
  wire::ProducerId producer;
  wire::RequestId request;
  wire::Instant admitted;
  wire::Instant deadline;
  std::optional<wire::Instant> look_at;  // When the broker looks at the open image next.
  wire::Instant hedge_from;              // No hedge before.
  wire::Payload image;
  std::vector<wire::WorkerId> tried;  // Workers that the image has been given to, less the lost.
  bool given = false;                 // Some s-CNN has been given the image.
  std::vector<wire::WorkerId> ties;   // The only workers the image may go to; empty: all.
  std::size_t waiting = 0;            // Number of places in the dispatcher's line.
  wire::Priority priority = wire::Priority::normal;
  std::uint64_t latest = 0;          // Submit::latest.
  bool favoured = false;             // Under overload its hedge goes before the images that wait.
  std::optional<Task> moved_from{};  // The slot that the image had before its present one.
};

// An assembler that makes a collage of a batch, and the sequence of its task.
struct Cover {
  wire::WorkerId assembler;
  wire::Sequence sequence;
};

struct Batch {
  wire::BatchId id;
  wire::Instant opened;
  bool sealed = false;
  std::vector<std::optional<Entry>> slots;  // nullopt for a slot that is settled.
  std::vector<wire::Instant> admitted;      // One instant per slot; kept when the slot is settled.
  std::size_t open = 0;                     // Number of slots not settled.
  std::vector<Cover> covers;
  bool collage_only = false;  // No s-CNN has been asked for its images, or only late ones have.
  wire::SinkIndex sink = 0;   // Who joins its answers.
};

class Ledger {
 public:
  enum class Due : std::uint8_t { look, deadline };
  struct Timer {
    Due due = Due::deadline;
    Task task;
  };

  // Requires that the batch is not known.
  Batch& open(wire::BatchId id, wire::Instant now);

  // Adds the next slot of an open batch and returns its entry, valid until the next call of add,
  // settle or finish.  Requires that the batch is known and not sealed.
  Entry& add(Batch& batch, Entry entry);

  // Adds an image that waits outside of any batch; the same validity.
  Entry& add_waiting(Entry entry);
  // Gives an image the next slot of an open batch, and another time to look at it.  The same
  // validity. Requires that the image has been in one batch at most, and that the batch is not
  // sealed.
  Entry& place(Task task, Batch& batch, wire::Instant look_at);

  // Has the entry looked at another time, whether the former is over or not.
  void look_again(Entry& entry, wire::Instant at);

  // The entry of a slot that is not settled, or nullptr.  A slot that its image has left leads to
  // the image's present one.
  Entry* find(Task task);
  Batch* find_batch(std::uint64_t batch);

  // Settles a slot and hands its entry over; nullopt if it is settled already or unknown.
  std::optional<Entry> settle(Task task);

  // Marks a batch as complete: no image may be added any more.
  void seal(Batch& batch) { batch.sealed = true; }

  // Takes a batch out if it is sealed and settled as a whole.
  std::optional<Batch> finish(std::uint64_t batch);

  // Takes out and returns the next timer that is due at `now`.
  std::optional<Timer> take_due(wire::Instant now);
  std::optional<wire::Instant> next_timeout() const;

  const std::map<std::uint64_t, Batch>& batches() const { return batches_; }
  const std::map<std::uint64_t, Entry>& waiting() const { return waiting_; }
  std::size_t open_requests() const { return open_requests_; }
  std::size_t open_bytes() const { return open_bytes_; }

 private:
  using Key = std::tuple<wire::Instant, Due, Task>;
  void start_timers(const Entry& entry);
  void stop_timers(const Entry& entry);

  std::map<std::uint64_t, Batch> batches_;
  std::map<std::uint64_t, Entry> waiting_;  // Images outside of any batch, by their number.
  std::map<Task, Task> moved_;              // From the slot that an image has left to its own.
  std::set<Key> timers_;
  std::uint64_t last_waiting_ = 0;
  std::size_t open_requests_ = 0;
  std::size_t open_bytes_ = 0;
};

}  // namespace broker
