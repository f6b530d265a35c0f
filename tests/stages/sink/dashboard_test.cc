// The JSON of the sink's page, and its palette.  tests/sim/health_test.cc compares the JSON with a
// whole pipeline.
#include "stages/sink/dashboard.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "stages/sink/dashboard_json.h"
#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using wire::WorkerState;

constexpr machine::Peer kBrokerPeer{kBroker, 0}, kStagePeer{kStages, 3};

class DashboardTest : public testing::Test {
 protected:
  static Sink::Policy policy() {
    Sink::Policy policy;
    policy.joiner.classes = 10;
    policy.patience.worker_max = 4;
    policy.membership = {100ms, 1s};
    policy.show_pictures = true;
    return policy;
  }
  DashboardTest() {
    (void)sink.on_timeout(at(0s));
    tell(wire::Welcome{kEpoch, 300ms, 0, 0, 1s}, 0s);
  }
  void tell(wire::Message message, wire::Duration t) {
    (void)sink.on_message(kBrokerPeer, std::move(message), at(t));
  }
  void say(wire::Message message, wire::Duration t) {
    (void)sink.on_message(kStagePeer, std::move(message), at(t));
  }
  void advance(wire::Duration until) {
    while (sink.next_timeout() && *sink.next_timeout() <= at(until)) {
      (void)sink.on_timeout(*sink.next_timeout());
    }
  }
  static wire::WorkerReport report(std::uint64_t n, WorkerState state) {
    wire::WorkerReport report;
    report.worker = {n << 32, n};
    report.state = state;
    report.model.version = "s1";
    report.location = {"a2", "collage-classifier@" + std::to_string(n),
                       static_cast<std::uint32_t>(n), 100 + static_cast<std::uint32_t>(n)};
    return report;
  }
  Json live(wire::Duration t) const {
    return Json::parse(dashboard_json(sink, {"cat", "dog"}, at(t)));
  }

  Sink sink{{4, 1}, policy()};
};

TEST_F(DashboardTest, PutsTheWorstWorkersFirstWithReasonsAndWhereTheyRun) {
  wire::WorkerReport slow = report(2, WorkerState::probation);
  slow.since = 30s;
  slow.service_median = 612ms;
  slow.service_usual = 150ms;
  slow.next_probe = 3s;
  wire::WorkerReport lost = report(3, WorkerState::lost);
  lost.cause = wire::LossCause::silence;
  tell(wire::WorkerStates{0, 3, {report(1, WorkerState::ready), slow, lost}}, 1s);
  const Json rows = live(2s)["workers"];
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["state"], "lost");
  EXPECT_EQ(rows[0]["reason"], "it had no task and sent no heartbeat");
  EXPECT_EQ(rows[1]["state"], "probation");
  // The list is a second old.
  EXPECT_EQ(rows[1]["since_s"], 31.0);
  EXPECT_EQ(rows[1]["reason"],
            "its last tasks took 612 ms, usual are 150 ms; on probation, next probe in 2.0 s");
  EXPECT_EQ(rows[1]["host"], "a2");
  EXPECT_EQ(rows[1]["index"], 2);
  EXPECT_EQ(rows[1]["log"], "journalctl -u collage-classifier@2 --since -15min");
  EXPECT_EQ(rows[2]["state"], "ready");
  EXPECT_EQ(rows[2]["answers"], 0);
}

TEST_F(DashboardTest, ARowHasTheLatestAnswersOfItsWorker) {
  tell(wire::WorkerStates{0, 1, {report(1, WorkerState::ready)}}, 1s);
  say(wire::Answer{batch(1), 0, {1ull << 32, 1}, false, 90ms, {}, {{{{1}, 0.9f}}, {}}, "s2", 80ms},
      2s);
  const Json row = live(3s)["workers"][0];
  EXPECT_EQ(row["answers"], 1);
  EXPECT_EQ(row["model"], "s2");  // What answered, and not what said hello a reload ago.
  EXPECT_EQ(row["p50_s"], 0.09);
  EXPECT_EQ(row["ages_s"], Json({0.09}));
  EXPECT_EQ(row["latest"][0]["label"], "dog");
  EXPECT_EQ(row["latest"][0]["service_s"], 0.08);
  EXPECT_EQ(row["latest"][0]["ago_s"], 1.0);
}

TEST_F(DashboardTest, ARejectionIsNoAnswerOfAWorker) {
  tell(wire::WorkerStates{0, 1, {report(1, WorkerState::ready)}}, 1s);
  say(
      wire::Answer{
          batch(1), 0, {1ull << 32, 1}, false, 1ms, {}, {{}, wire::Reason::not_an_image}, "s1"},
      2s);
  EXPECT_EQ(live(3s)["workers"][0]["answers"], 0);
}

TEST_F(DashboardTest, SilenceAloneMakesNoWorkerUnwell) {
  tell(wire::WorkerStates{0, 1, {report(1, WorkerState::idle)}}, 1s);
  say(wire::Answer{batch(1), 0, {1ull << 32, 1}, false, 90ms, {}, {{{{1}, 0.9f}}, {}}, "s1"}, 2s);
  tell(wire::Status{}, 1h);
  const Json now = live(1h);
  EXPECT_EQ(now["workers"][0]["state"], "idle");
  EXPECT_EQ(now["state"]["word"], "OK");
}

TEST_F(DashboardTest, ShowsACollageCnnThatItsAssemblerSpeaksForWhileItAnswers) {
  say(wire::CollageAnswer{batch(1), {9, 9}, 60ms, {}, {}, "c1"}, 2s);
  EXPECT_EQ(live(3s)["workers"][0]["role"], "collage-CNN");
  EXPECT_TRUE(live(40s)["workers"].empty());
}

TEST_F(DashboardTest, ShowsTheFirst200WorkersOfALargeFleet) {
  for (std::uint32_t first = 0; first < 256; first += 64) {
    wire::WorkerStates part{first, 256, {}};
    for (std::uint32_t i = 0; i < 64; ++i) {
      const bool last = first + i == 255;
      part.workers.push_back(report(1 + first + i, last ? WorkerState::lost : WorkerState::ready));
    }
    tell(part, 1s);
  }
  const Json now = live(2s);
  EXPECT_EQ(now["workers"].size(), 200u);
  EXPECT_EQ(now["workers_known"], 256);
  EXPECT_EQ(now["workers"][0]["state"], "lost");
}

TEST_F(DashboardTest, ReasonsAreInWords) {
  wire::WorkerReport one = report(1, WorkerState::suspect);
  one.oldest_task = 3200ms;
  EXPECT_EQ(reason_text(one), "its oldest task is 3.2 s old");
  one.state = WorkerState::lost;
  one.cause = wire::LossCause::task_age;
  EXPECT_EQ(reason_text(one), "it held a task for longer than task_age_max");
  one.cause = wire::LossCause::connection;
  EXPECT_EQ(reason_text(one), "its connection failed");
  one.state = WorkerState::ready;
  EXPECT_EQ(reason_text(one), "");
}

TEST_F(DashboardTest, TheLogIsFoundByUnitElseByProcess) {
  EXPECT_EQ(log_command({"a2", "", 1, 77}), "journalctl _PID=77 --since -15min");
  EXPECT_EQ(log_command({"", "", 1, 77}), "");
}

TEST_F(DashboardTest, HasTheHistoryByColumns) {
  // The batch has four slots; in the second interval two collages of three images were made.
  tell(wire::Status{{{"answered_single", 0}, {"batch_slots", 4}}}, 1s);
  advance(5s);
  tell(wire::Status{{{"answered_single", 50},
                     {"missing", 5},
                     {"batches", 4},
                     {"batches_uncovered", 1},
                     {"batches_covered", 2},
                     {"images_covered", 6},
                     {"batch_slots", 4}}},
       7s);
  advance(10s);
  const Json json = Json::parse(history_json(sink, at(11s)));
  ASSERT_EQ(json["ago_s"].size(), 2u);
  EXPECT_EQ(json["ago_s"][1], 1.0);
  EXPECT_EQ(json["per_second"]["single"], Json({0.0, 10.0}));
  EXPECT_EQ(json["per_second"]["missing"][1], 1.0);
  EXPECT_EQ(json["fill"], Json({nullptr, 0.75}));
  EXPECT_EQ(json["uncovered"], Json({nullptr, 0.25}));
  EXPECT_EQ(json["with"]["p99_s"], Json({nullptr, nullptr}));
}

TEST_F(DashboardTest, TheTailFallsFromAllAnswersToOne) {
  tell(wire::BatchOpened{batch(1), 4, {}, true}, 0s);
  tell(wire::BatchSealed{batch(1), {0ms, 0ms, 0ms, 0ms}}, 0s);
  for (wire::Slot slot = 0; slot < 4; ++slot) {
    const wire::Duration age = (slot + 1) * 10ms;
    say(wire::Answer{batch(1), slot, {1, 1}, false, age, {}, {{{{1}, 0.9f}}, {}}, "s1"}, age);
  }
  const Json tail = live(1s)["with"]["tail"];
  ASSERT_EQ(tail.size(), 4u);
  EXPECT_EQ(tail[0], Json({0.01, 1.0}));
  EXPECT_EQ(tail[3], Json({0.04, 0.25}));
}

TEST_F(DashboardTest, ShowsTheNewestPictureWithItsSlots) {
  tell(wire::BatchOpened{batch(7), 4, {}, true}, 0s);
  EXPECT_FALSE(live(1s)["picture"].contains("number"));
  say(wire::CollagePicture{batch(7), 2, 1, 3,
                           wire::Payload(wire::Payload::Bytes{1, 2, 3, 4, 5, 6})},
      1s);
  const Json picture = live(1s)["picture"];
  EXPECT_EQ(picture["number"], 7);
  EXPECT_EQ(picture["width"], 2);
  EXPECT_EQ(picture["slots"].size(), 4u);
  EXPECT_EQ(picture_bytes(sink), std::string("\0\0\0\0\0\0\0\7\1\2\3\4\5\6", 14));
}

TEST_F(DashboardTest, TakesNoPictureWhosePixelsDoNotFitItsForm) {
  const wire::Payload six(wire::Payload::Bytes(6));
  say(wire::CollagePicture{batch(7), 2, 2, 3, six}, 1s);
  say(wire::CollagePicture{batch(7), 3, 1, 2, six}, 1s);
  say(wire::CollagePicture{batch(7), 0xffffffff, 0xffffffff, 3, six}, 1s);
  EXPECT_FALSE(sink.picture());
  EXPECT_EQ(sink.counters().bad_messages, 3u);
}

TEST_F(DashboardTest, TakesNoPictureUnlessPicturesAreShown) {
  Sink::Policy blind = policy();
  blind.show_pictures = false;
  Sink other({4, 2}, blind);
  (void)other.on_message(
      kStagePeer, wire::CollagePicture{batch(7), 2, 1, 3, wire::Payload(wire::Payload::Bytes(6))},
      at(1s));
  EXPECT_FALSE(other.picture());
  EXPECT_FALSE(Json::parse(dashboard_json(other, {}, at(1s)))["picture"]["shown"]);
}

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(COLLAGE_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// The report writes each source with its colour in one list; the page names them in its style.
TEST(Palette, PageAndReportShowTheSourcesInTheSameColours) {
  const std::string report = text_of("replay/report/page.html");
  const std::string page(kDashboardPage);
  for (const std::string source : {"single", "collage", "hedge", "unanswered"}) {
    const std::size_t at = report.find("[\"" + source + "\", \"#");
    ASSERT_NE(at, report.npos) << source;
    const std::string colour = report.substr(at + source.size() + 6, 7);
    EXPECT_THAT(page, HasSubstr("--" + source + ": " + colour + ";"));
  }
}

}  // namespace
}  // namespace stages::sink
