// What the broker traces of an image that waits outside of any batch first.
#include <algorithm>
#include <iterator>

#include "tests/broker/overload_fixture.h"

namespace broker {
namespace {

using machine::TraceEvent;
using testing::SizeIs;

class BrokerTraceTest : public BrokerOverloadTest {
 protected:
  // The events of this name in the turn in which the message arrives.
  std::vector<TraceEvent> traced(std::string_view what, machine::Peer from, wire::Message message) {
    const machine::Actions actions = broker->on_message(from, std::move(message), now);
    std::vector<TraceEvent> found;
    std::ranges::copy_if(actions.traces, std::back_inserter(found),
                         [what](const TraceEvent& event) { return event.what == what; });
    return found;
  }
};

TEST_F(BrokerTraceTest, AnImageOfTheLineIsPlacedWhenAnSCnnTakesIt) {
  fill();
  send(1, 4);
  answer_all(2);
  const auto last = the<wire::Assign>(worker(1));
  later(100ms);
  settle(last.batch, last.slot);
  const auto placed = traced("placed", worker(1), wire::Ready{last.sequence, {}, false});
  ASSERT_THAT(placed, SizeIs(1));
  EXPECT_EQ(placed[0].producer, (wire::ProducerId{1, 1}));
  EXPECT_EQ(placed[0].request.value, 4u);
  EXPECT_GT(placed[0].batch, last.batch);
  EXPECT_EQ(placed[0].slot, wire::Slot{0});
  EXPECT_EQ(placed[0].age, 300ms);
  EXPECT_EQ(placed[0].batch_age, 0ms);
}

TEST_F(BrokerTraceTest, ImagesOfTheLineThatShareACollageArePlacedInItsSlots) {
  fill();
  for (std::uint64_t request = 4; request <= 7; ++request) send(1, request);
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 2, "c1"};
  const auto placed =
      traced("placed", assembler(1), wire::WorkerHello{{3, 1}, wire::Role::assembler, model, 4});
  ASSERT_THAT(placed, SizeIs(4));
  for (std::size_t i = 0; i < placed.size(); ++i) {
    EXPECT_EQ(placed[i].request.value, 4 + i);
    EXPECT_EQ(placed[i].batch, placed[0].batch);
    EXPECT_EQ(placed[i].slot, static_cast<wire::Slot>(i));
  }
}

TEST_F(BrokerTraceTest, AnImageThatEndsInTheLineHasNeitherBatchNorSlot) {
  fill();
  send(1, 4);
  const auto cancelled = traced("cancelled", producer(1), wire::Cancel{{4}});
  ASSERT_THAT(cancelled, SizeIs(1));
  EXPECT_EQ(cancelled[0].request.value, 4u);
  EXPECT_EQ(cancelled[0].batch, wire::BatchId{});
  EXPECT_EQ(cancelled[0].slot, std::nullopt);
}

}  // namespace
}  // namespace broker
