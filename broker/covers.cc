#include "broker/covers.h"

#include <algorithm>
#include <array>
#include <vector>

namespace broker {
namespace {

// More than an assembler takes to receive, decode and paste a batch.  An image is better off in the
// line, where any stage can take it, than in a batch behind another.
constexpr wire::Duration kPrepare = std::chrono::milliseconds(40);

}  // namespace

bool Covers::assign_collage(Batch& batch, wire::Instant now) {
  if (policy_.collages_per_batch == 0) return true;
  std::vector<wire::WorkerId> chosen;
  for (int copy = 0; copy < policy_.collages_per_batch; ++copy) {
    const Roster::Worker* assembler = roster_.pick(chosen);
    if (!assembler) break;
    chosen.push_back(assembler->id);
    assign(batch, *assembler, now);
  }
  if (const Roster::Worker* slow = roster_.due_for_probe(chosen, now)) assign(batch, *slow, now);
  return !batch.covers.empty();
}

std::optional<wire::Instant> Covers::free_at(bool full, wire::Instant now) const {
  const Roster::Worker* assembler = roster_.pick({});
  if (!assembler) return std::nullopt;
  if (assembler->outstanding() == 0) return now;
  if (!full || assembler->sent.size() != 1 || assembler->outstanding() != 1) return std::nullopt;
  const auto& begun = assembler->sent.front().begun;
  if (!begun || !roster_.service().known()) return std::nullopt;
  const wire::Duration mean = roster_.service().mean();
  return std::max(*begun, assembler->done) + std::max(mean / 2, mean - kPrepare);
}

void Covers::assign_batch(Batch& batch, wire::Instant now) {
  const Roster::Worker* assembler = roster_.pick({});
  const wire::WorkerId chosen = assembler->id;
  assign(batch, *assembler, now);
  const std::array<wire::WorkerId, 1> tried = {chosen};
  if (const Roster::Worker* slow = roster_.due_for_probe(tried, now)) assign(batch, *slow, now);
}

std::size_t Covers::outstanding(const Batch& batch) const {
  return batch.covers.empty() ? 0 : roster_.outstanding(batch.covers.front().assembler);
}

void Covers::seal(const Batch& batch, wire::Instant now, machine::Actions& actions) {
  for (const Cover& cover : batch.covers) roster_.begin(cover.assembler, cover.sequence, now);
  const auto filled = static_cast<wire::Slot>(batch.slots.size());
  send(batch, wire::SealCollage{batch.id, filled}, actions);
}

void Covers::drop(const Batch& batch, machine::Actions& actions) {
  for (const Cover& cover : batch.covers) roster_.withdraw(cover.assembler, cover.sequence);
  send(batch, wire::DropCollage{batch.id}, actions);
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
    actions.send(
        *peer, wire::Assign{cover.sequence, batch.id, entry.task.slot, false, now - entry.admitted,
                            entry.deadline - now, entry.image, batch.sink});
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
