#include "broker/covers.h"

#include <vector>

namespace broker {

bool Covers::assign_collage(Batch& batch, wire::Instant now) {
  if (policy_.copies == 0) return true;
  std::vector<wire::WorkerId> chosen;
  for (int copy = 0; copy < policy_.copies; ++copy) {
    const Roster::Worker* assembler = roster_.pick(chosen);
    if (!assembler) break;
    chosen.push_back(assembler->id);
    assign(batch, *assembler, now);
  }
  if (const Roster::Worker* slow = roster_.due_for_probe(chosen, now)) assign(batch, *slow, now);
  return !batch.covers.empty();
}

void Covers::assign(Batch& batch, const Roster::Worker& assembler, wire::Instant now) {
  const wire::Sequence sequence = sequences_.next();
  batch.covers.push_back({assembler.id, sequence});
  roster_.assign(assembler.id, sequence, {batch.id.sequence.value, kWholeBatch}, now);
}

void Covers::send_image(const Batch& batch, const Entry& entry, wire::Instant now,
                        machine::Actions& actions) const {
  for (const Cover& cover : batch.covers) {
    const auto peer = roster_.peer_of(cover.assembler);
    if (!peer) continue;
    actions.send(*peer, wire::Assign{cover.sequence, batch.id, entry.task.slot, false,
                                     now - entry.admitted, entry.deadline - now, entry.image});
  }
}

void Covers::send(const Batch& batch, const wire::Message& message,
                  machine::Actions& actions) const {
  for (const Cover& cover : batch.covers) {
    if (const auto peer = roster_.peer_of(cover.assembler)) actions.send(*peer, message);
  }
}

void Covers::on_assembler_lost(const Roster::Loss& loss, Ledger& ledger) {
  for (const Task task : loss.tasks) {
    Batch* batch = ledger.find_batch(task.batch);
    if (!batch) continue;
    std::erase_if(batch->covers,
                  [&loss](const Cover& cover) { return cover.assembler == loss.worker; });
  }
}

}  // namespace broker
