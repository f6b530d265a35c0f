#include "stages/sink/broker_view.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

wire::WorkerStates part(std::uint32_t first, std::uint32_t total, std::size_t count) {
  wire::WorkerStates states{first, total, std::vector<wire::WorkerReport>(count)};
  for (std::size_t i = 0; i < count; ++i) states.workers[i].worker = {1, first + i};
  return states;
}

class BrokerViewTest : public testing::Test {
 protected:
  BrokerView view{5};
};

TEST_F(BrokerViewTest, KnowsNothingBeforeItIsTold) {
  EXPECT_THAT(view.workers(), IsEmpty());
  EXPECT_FALSE(view.listed());
  EXPECT_FALSE(view.heard());
  EXPECT_EQ(view.figure("missing"), 0u);
}

TEST_F(BrokerViewTest, TakesAListThatComesInParts) {
  view.on_workers(part(0, 3, 2), at(1s));
  EXPECT_THAT(view.workers(), IsEmpty());
  view.on_workers(part(2, 3, 1), at(2s));
  EXPECT_THAT(view.workers(), SizeIs(3));
  EXPECT_EQ(view.listed(), at(2s));
  view.on_workers(part(0, 1, 1), at(3s));
  EXPECT_THAT(view.workers(), SizeIs(1));
}

TEST_F(BrokerViewTest, AnEmptyListIsAList) {
  view.on_workers(part(0, 2, 2), at(1s));
  view.on_workers(part(0, 0, 0), at(2s));
  EXPECT_THAT(view.workers(), IsEmpty());
  EXPECT_EQ(view.listed(), at(2s));
}

TEST_F(BrokerViewTest, DropsAListWithAPartMissing) {
  view.on_workers(part(0, 1, 1), at(1s));
  view.on_workers(part(0, 4, 2), at(2s));
  view.on_workers(part(3, 4, 1), at(2s));  // The third worker was lost on the way.
  EXPECT_THAT(view.workers(), SizeIs(1));
  view.on_workers(part(0, 4, 2), at(3s));
  view.on_workers(part(2, 4, 2), at(3s));
  EXPECT_THAT(view.workers(), SizeIs(4));
}

TEST_F(BrokerViewTest, TakesNoListThatIsLongerThanItSays) {
  view.on_workers(part(0, 2, 3), at(1s));
  EXPECT_THAT(view.workers(), IsEmpty());
}

TEST_F(BrokerViewTest, TakesNoListBeyondItsBound) {
  view.on_workers(part(0, 6, 6), at(1s));
  EXPECT_THAT(view.workers(), IsEmpty());
  view.on_workers(part(0, 5, 5), at(1s));
  EXPECT_THAT(view.workers(), SizeIs(5));
}

TEST_F(BrokerViewTest, KeepsTheLatestStatus) {
  view.on_status({{{"missing", 3}, {"refused", 1}}}, at(1s));
  view.on_status({{{"missing", 4}}}, at(2s));
  EXPECT_EQ(view.figure("missing"), 4u);
  EXPECT_EQ(view.figure("refused"), 0u);
  EXPECT_EQ(view.heard(), at(2s));
}

}  // namespace
}  // namespace stages::sink
