#include "broker/covers.h"

#include <gmock/gmock.h>

#include "tests/broker/peers.h"
#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

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

  // Eight batches that took so long each, one after another; the sequences are used up.
  void learn(std::uint64_t n, wire::Duration each) {
    for (int i = 0; i < 8; ++i) {
      const wire::Sequence sequence = sequences.next();
      covers.roster().assign(id(n), sequence, {sequence.value, kWholeBatch}, at(i * each));
      covers.roster().begin(id(n), sequence, at(i * each));
      covers.roster().ready(peer(n), {sequence, {}, false}, at((i + 1) * each));
    }
  }

  SequenceSource sequences;
  Covers covers{{.roster = kRoster, .collages_per_batch = 1}, sequences};
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
  Covers two{{.roster = kRoster, .collages_per_batch = 2}, sequences};
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
  Covers none{{.roster = kRoster, .collages_per_batch = 0}, sequences};
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
      const wire::Duration each = n == 2 ? 300ms : 100ms;
      const wire::Duration begun = each * static_cast<int>(sequence - 1);
      covers.roster().assign(id(n), {sequence}, {sequence, kWholeBatch}, at(begun));
      covers.roster().ready(peer(n), {{sequence}, {}, false}, at(begun + each));
    }
  }
  covers.roster().sweep(at(1500ms), 1h);
  ASSERT_EQ(covers.roster().on_probation(), 1u);
  Batch& early = open(1);
  covers.assign_collage(early, at(1500ms));
  EXPECT_THAT(assemblers(early), ElementsAre(1u));
  Batch& due = open(2);
  covers.assign_collage(due, at(1600ms));
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

TEST_F(CoversTest, ABatchWithoutSinglesGoesToAnIdleAssemblerAtOnce) {
  EXPECT_EQ(covers.free_at(true, at(5ms)), std::nullopt);
  join(1, 2);
  EXPECT_EQ(covers.free_at(false, at(5ms)), at(5ms));
  Batch& batch = open(1);
  covers.assign_batch(batch, at(5ms));
  EXPECT_THAT(assemblers(batch), ElementsAre(1u));
  EXPECT_EQ(covers.free_at(false, at(5ms)), std::nullopt);
  EXPECT_EQ(covers.free_at(true, at(5ms)), std::nullopt);  // It may take any time.
}

TEST_F(CoversTest, AFullBatchGoesToABusyAssemblerNearTheEndOfItsOnlyOther) {
  join(1, 3);
  learn(1, 100ms);  // Until 800 ms.
  Batch& first = open(9);
  covers.assign_batch(first, at(800ms));
  EXPECT_EQ(covers.free_at(true, at(800ms)), std::nullopt);  // It has not been sealed.
  covers.seal(first, at(810ms), actions);
  EXPECT_EQ(covers.free_at(true, at(820ms)), at(870ms));  // 40 ms before its end.
  EXPECT_EQ(covers.free_at(false, at(820ms)), std::nullopt);
  Batch& second = open(10);
  covers.assign_batch(second, at(870ms));
  EXPECT_EQ(covers.free_at(true, at(870ms)), std::nullopt);
}

TEST_F(CoversTest, AFullBatchIsPreparedInTheSecondHalfOfAShortOne) {
  join(1, 2);
  learn(1, 30ms);  // Until 240 ms.
  Batch& first = open(9);
  covers.assign_batch(first, at(240ms));
  covers.seal(first, at(240ms), actions);
  EXPECT_EQ(covers.free_at(true, at(240ms)), at(255ms));
}

TEST_F(CoversTest, WithoutCreditNoAssemblerIsFree) {
  join(1, 1);
  learn(1, 100ms);
  Batch& first = open(9);
  covers.assign_batch(first, at(800ms));
  covers.seal(first, at(800ms), actions);
  EXPECT_EQ(covers.free_at(true, at(800ms)), std::nullopt);
  covers.roster().ready(peer(1), {{9}, {}, false}, at(900ms));
  EXPECT_EQ(covers.free_at(true, at(900ms)), at(900ms));
}

TEST_F(CoversTest, TheTimeOfACollageCountsFromItsSeal) {
  join(1);
  Batch& batch = open(1);
  covers.assign_collage(batch, at(0ms));
  covers.seal(batch, at(40ms), actions);
  EXPECT_EQ(std::get<wire::SealCollage>(actions.messages.at(0).message).batch, batch.id);
  covers.roster().ready(peer(1), {{1}, {}, false}, at(100ms));
  EXPECT_EQ(covers.roster().service().mean(), 60ms);
}

TEST_F(CoversTest, ADroppedCollageThatHasNotBegunTeachesNoTime) {
  join(1, 2);
  Batch& first = open(1);
  Batch& second = open(2);
  for (Batch* batch : {&first, &second}) {
    covers.assign_collage(*batch, at(0ms));
    covers.seal(*batch, at(0ms), actions);
  }
  covers.drop(second, actions);
  EXPECT_TRUE(std::holds_alternative<wire::DropCollage>(actions.messages.back().message));
  covers.roster().ready(peer(1), {{2}, {{1}}, false}, at(1ms));
  covers.roster().ready(peer(1), {{2}, {}, false}, at(81ms));
  EXPECT_EQ(covers.roster().service().mean(), 81ms);
}

}  // namespace
}  // namespace broker
