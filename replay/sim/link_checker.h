// Checks the messages between broker, stages and sink, batch by batch.
//
// What it expects follows from docs/ARCHITECTURE.md:
//   - a slot of a batch belongs to one image, whose token every answer for it spells;
//   - a sink settles a slot once, and once more with the same answer whenever its batch is opened
//     again, and corrects a slot at most once, to another class, if a collage
//     settled it;
//   - a collage answer is never settled before patience unless the batch has no singles, for a
//     blank slot, below the gate, or with the answer of another slot;
//   - the broker gives a stage no task beyond its capacity, by what the stage has reported so far;
//   - no stage reports that it holds more than twice its capacity.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replay/sim/trial_options.h"
#include "replay/sim/violations.h"

namespace replay::sim {

class LinkChecker {
 public:
  // Borrows both.
  LinkChecker(const TrialOptions& options, Violations& violations);

  void on_assign(const wire::Assign& assign, wire::Instant now);
  // The sink is told that the batch is open, perhaps again.
  void on_opened(NodeId sink, const wire::BatchOpened& opened);
  void on_sealed(const wire::BatchSealed& sealed, wire::Instant now);
  // `sink` is the sender.
  void on_settled(NodeId sink, const wire::SlotSettled& settled, wire::Instant now);
  void on_disagreement(NodeId sink, const wire::Disagreement& disagreement, wire::Instant now);
  // The broker sends a task to a stage; `capacity` is the number of tasks that it takes at once.
  void on_given(NodeId stage, const std::string& name, std::uint32_t capacity,
                const wire::Assign& assign, wire::Instant now);
  // What the broker hears from a stage.
  void on_heard(NodeId stage, const wire::WorkerHello& hello);
  void on_heard(NodeId stage, const wire::Ready& ready);
  // Until the broker notices it, both this life of the stage and the next are given tasks.
  void on_stage_crashed(NodeId stage) { credits_[stage].crashed = true; }
  void on_broker_life() { credits_.clear(); }
  // `stage` is the name of the sender, `capacity` the number of tasks that it takes at once.
  void on_ready(const std::string& stage, std::uint32_t capacity, const wire::Ready& ready,
                wire::Instant now);
  // A sink has started or crashed: it does not remember which slots it has settled.
  void on_sink_life(NodeId sink);

 private:
  struct Settled {
    std::optional<wire::ClassId> collage;  // The class if a collage gave it; reset by a correction.
    wire::Predictions predictions{};
    std::size_t repeats = 0;  // How often the sink may settle it again.
  };
  struct Slot {
    std::optional<std::uint64_t> token;  // Token of its image; nullopt for a blank slot.
    std::map<NodeId, Settled> settled;   // What each present sink has settled.
  };
  struct Batch {
    std::map<wire::Slot, Slot> slots;
    // When the image of each filled slot was admitted; nullopt before the seal.
    std::optional<std::vector<wire::Instant>> admitted;
    bool collage_only = false;
  };

  // Of a stage: the tasks given since its last hello, and those of them not reported as done.
  struct Credit {
    std::set<wire::Sequence> given, open;
    bool crashed = false;  // In this life of the broker.
  };

  void check_collage(const Batch& batch, const wire::SlotSettled& settled, wire::Instant now);
  wire::Duration patience_min() const;

  const TrialOptions& options_;
  Violations& violations_;
  std::map<wire::BatchId, Batch> batches_;
  std::map<NodeId, Credit> credits_;
};

}  // namespace replay::sim
