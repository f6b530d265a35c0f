// Decides which assemblers make a collage of which batch, and keeps them informed of it.
//
//     assign_collage -> send_image ... send_image -> send (SealCollage) -> send (DropCollage)
//
// A cover is an assembler that makes a collage of a batch.  A batch gets up to `collages_per_batch`
// covers when it opens, from assemblers with credit.  An assembler on probation may make one more
// as a probe: that collage is never the only one a batch relies on, unless no other assembler was
// free.  A batch without a cover is answered by its singles alone.
//
// Covers is pure.  Messages go to the Actions it is handed.
#pragma once

#include <optional>

#include "broker/ledger.h"
#include "broker/roster.h"
#include "broker/task.h"
#include "machine/machine.h"

namespace broker {

class Covers {
 public:
  struct Policy {
    Roster::Policy roster;
    int collages_per_batch = 0;  // Redundancy::collages_per_batch; 0: no collages.
  };

  // `sequences` must outlive this object.
  Covers(Policy policy, SequenceSource& sequences)
      : policy_(policy), sequences_(sequences), roster_(policy.roster) {}

  // Chooses the covers of a batch that has just opened.  Returns false if the policy asks for a
  // cover and no assembler was free.
  bool assign_collage(Batch& batch, wire::Instant now);
  // Number of batches, this one included, that the first cover of the batch has; 0 without one.
  std::size_t outstanding(const Batch& batch) const;
  // Sends an image of the batch, sharing its bytes, to each of the batch's covers.
  void send_image(const Batch& batch, const Entry& entry, wire::Instant now,
                  machine::Actions& actions) const;
  // Chooses the cover of a batch that consists of images without a single.  Requires that some
  // assembler has credit.
  void assign_batch(Batch& batch, wire::Instant now);
  // When an assembler should get such a batch, at the earliest: at once if it idles; if the batch
  // is full, when it is halfway through its only other one.  So a full batch is prepared before the
  // collage-CNN needs it, and one that is not full goes on filling meanwhile.  nullopt if no
  // assembler has credit, or when one will idle is not known.
  std::optional<wire::Instant> free_at(bool full, wire::Instant now) const;
  // Sends a message to each of the batch's covers.
  void send(const Batch& batch, const wire::Message& message, machine::Actions& actions) const;
  // Has the covers make their collages: no further image will come.
  void seal(const Batch& batch, wire::Instant now, machine::Actions& actions);
  // Tells the covers of a batch that it is settled.
  void drop(const Batch& batch, machine::Actions& actions);
  // Takes a lost assembler off the batches that it covered.  No other assembler takes them over:
  // the images of settled slots are no longer held.
  static void on_assembler_lost(const Roster::Loss& loss, Ledger& ledger);

  Roster& roster() { return roster_; }
  const Roster& roster() const { return roster_; }

 private:
  void assign(Batch& batch, const Roster::Worker& assembler, wire::Instant now);

  const Policy policy_;
  SequenceSource& sequences_;
  Roster roster_;
};

}  // namespace broker
