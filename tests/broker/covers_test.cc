#include "broker/covers.h"

#include <gmock/gmock.h>

namespace broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr wire::Instant at(wire::Duration t) { return {t}; }
constexpr wire::WorkerId id(std::uint64_t n) { return {3, n}; }
constexpr machine::Peer peer(std::uint64_t n) { return {1, n}; }
constexpr Roster::Policy kRoster{
    .worker_max = 4, .silence_max = 1h, .task_age_max = 1h, .probe_every = 100ms};

class CoversTest : public testing::Test {
 protected:
  void join(std::uint64_t n, std::uint32_t capacity = 1) {
    covers.roster().join({id(n), wire::Role::assembler, {}, capacity}, peer(n), at(0ms));
  }
  Batch& open(std::uint64_t n) { return ledger.open({{7}, {n}}, at(0ms)); }
  std::vector<std::uint64_t> assemblers(const Batch& batch) {
    std::vector<std::uint64_t> found;
    for (const Cover& cover : batch.covers) found.push_back(cover.assembler.low);
    return found;
  }

  SequenceSource sequences;
  Covers covers{{.roster = kRoster, .copies = 1}, sequences};
  Ledger ledger;
  machine::Actions actions;
};

TEST_F(CoversTest, ABatchIsCoveredByAnAssemblerWithCredit) {
  join(1);
  Batch& first = open(1);
  EXPECT_TRUE(covers.assign_collage(first, at(0ms)));
  EXPECT_THAT(assemblers(first), ElementsAre(1u));
  EXPECT_EQ(first.covers[0].sequence.value, 1u);
  EXPECT_EQ(covers.roster().outstanding(), 1u);
  Batch& second = open(2);
  EXPECT_FALSE(covers.assign_collage(second, at(0ms)));
  EXPECT_THAT(second.covers, IsEmpty());
}

TEST_F(CoversTest, AsManyAssemblersAsThePolicyAsksForCoverABatch) {
  Covers two{{.roster = kRoster, .copies = 2}, sequences};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    two.roster().join({id(n), wire::Role::assembler, {}, 1}, peer(n), at(0ms));
  }
  Batch& first = open(1);
  EXPECT_TRUE(two.assign_collage(first, at(0ms)));
  EXPECT_THAT(assemblers(first), ElementsAre(1u, 2u));
  Batch& second = open(2);
  EXPECT_TRUE(two.assign_collage(second, at(0ms)));
  EXPECT_THAT(assemblers(second), ElementsAre(3u));
}

TEST_F(CoversTest, WithoutCopiesNoAssemblerIsAskedAndNoneIsMissed) {
  Covers none{{.roster = kRoster, .copies = 0}, sequences};
  none.roster().join({id(1), wire::Role::assembler, {}, 1}, peer(1), at(0ms));
  Batch& batch = open(1);
  EXPECT_TRUE(none.assign_collage(batch, at(0ms)));
  EXPECT_THAT(batch.covers, IsEmpty());
}

TEST_F(CoversTest, AnAssemblerOnProbationMakesOneMoreCollageWhenItIsDue) {
  for (std::uint64_t n = 1; n <= 2; ++n) join(n, 4);
  // Five collages each, of which the second takes three times as long.
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    for (std::uint64_t n = 1; n <= 2; ++n) {
      covers.roster().assign(id(n), {sequence}, {sequence, kWholeBatch}, at(0ms));
      covers.roster().ready(peer(n), {{sequence}, {}, false}, at(n == 2 ? 300ms : 100ms));
    }
  }
  covers.roster().sweep(at(300ms), 1h);
  ASSERT_EQ(covers.roster().on_probation(), 1u);
  Batch& early = open(1);
  covers.assign_collage(early, at(300ms));
  EXPECT_THAT(assemblers(early), ElementsAre(1u));
  Batch& due = open(2);
  covers.assign_collage(due, at(400ms));
  EXPECT_THAT(assemblers(due), ElementsAre(1u, 2u));
}

TEST_F(CoversTest, ItsImagesAndMessagesGoToTheCoversOfABatchAlone) {
  join(1);
  join(2);
  Batch& batch = open(1);
  covers.assign_collage(batch, at(0ms));
  Entry entry;
  entry.admitted = at(5ms);
  entry.deadline = at(100ms);
  entry.image = wire::Payload(wire::Payload::Bytes(10));
  const Entry& added = ledger.add(batch, std::move(entry));
  covers.send_image(batch, added, at(5ms), actions);
  covers.send(batch, wire::DropCollage{batch.id}, actions);
  ASSERT_THAT(actions.messages, SizeIs(2));
  EXPECT_THAT(actions.messages, testing::Each(Field(&machine::Outgoing::to, peer(1))));
  const auto& assign = std::get<wire::Assign>(actions.messages[0].message);
  EXPECT_EQ(assign.sequence, batch.covers[0].sequence);
  EXPECT_EQ(assign.slot, 0);
  EXPECT_EQ(assign.remaining, 95ms);
  EXPECT_EQ(assign.image.bytes().data(), added.image.bytes().data());
}

TEST_F(CoversTest, ALostAssemblerCoversNothingAnyMore) {
  join(1);
  Batch& batch = open(1);
  covers.assign_collage(batch, at(0ms));
  const auto loss = covers.roster().lost(peer(1));
  ASSERT_TRUE(loss);
  Covers::on_assembler_lost(*loss, ledger);
  EXPECT_THAT(batch.covers, IsEmpty());
  covers.send(batch, wire::DropCollage{batch.id}, actions);
  EXPECT_THAT(actions.messages, IsEmpty());
}

}  // namespace
}  // namespace broker
