// A scenario as users run it: real processes, faults, virtual time, and the page in a browser.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "imaging/decode.h"
#include "runtime/pipeline/latency.h"
#include "runtime/service/install_paths.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Longest wait for a program to end; only one that hangs reaches it, even on a busy host.
constexpr wire::Duration kEndMax = 400s;

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string unzipped(const std::filesystem::path& file) {
  const gzFile in = gzopen(file.c_str(), "rb");
  std::string text;
  std::string block(1 << 16, '\0');
  for (int got = 0; (got = gzread(in, block.data(), static_cast<unsigned>(block.size()))) > 0;) {
    text.append(block, 0, static_cast<std::size_t>(got));
  }
  gzclose(in);
  return text;
}

// Empties the folder of a run.
void begin(const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  // Scenarios, pipelines and models are named as from the top of the checkout.
  std::filesystem::current_path(COLLAGE_SOURCE_DIR);
}

std::vector<std::string> run_of(const std::filesystem::path& folder, const std::string& scenario) {
  std::ofstream(folder / "small.yaml") << scenario;
  return {(runtime::program_folder() / "collage-replay").string(), "run",
          (folder / "small.yaml").string(), "--out", folder.string()};
}

class Replay : public testing::Test {
 protected:
  Replay() : folder_(system_test::scratch("work")) { begin(folder_); }

  Ran replay(const std::string& scenario) const {
    return system_test::run(run_of(folder_, scenario), kEndMax);
  }

  const std::filesystem::path folder_;
};

constexpr const char* kSmall = R"(
about: A few batches with a killed and a stopped stage.
policies: [none, collage-hedge]
latency: {source: log-normal, median: 40ms, sigma: 0.3}
faults:
  - {what: kill, node: classifier-3, after: 200ms, for: 500ms}
  - {what: stop, node: classifier-5, after: 900ms, for: 400ms}
live_batches: 20
simulated_batches: 200
settings: [broker.linger=5ms]
)";

// A run that has ended, for all tests of it.
class ReplayRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = runtime::program_folder() / "../system-test/ReplayRun";
    begin(folder_);
    const std::filesystem::path log = folder_ / "log";
    replay::live::Process process(run_of(folder_, kSmall), log);
    ASSERT_EQ(process.wait(kEndMax), 0) << read(log);
  }

  static inline std::filesystem::path folder_;
};

TEST_F(ReplayRun, WritesWhatItSawLiveAndSimulated) {
  for (const std::string mode : {"live", "sim"}) {
    const std::filesystem::path out = folder_ / ("small-" + mode);
    const auto summary = nlohmann::json::parse(read(out / "summary.json"));
    EXPECT_EQ(summary["mode"], mode);
    ASSERT_EQ(summary["policies"].size(), 2u);
    const std::size_t batches = mode == "live" ? 20 : 200;
    for (const auto& policy : summary["policies"]) {
      EXPECT_EQ(policy["per_batch"]["count"], batches);
      EXPECT_EQ(policy["per_request"]["count"], 9 * batches);
      EXPECT_EQ(policy["violations"], 0);
    }
    const std::string events = unzipped(out / "events.csv.gz");
    EXPECT_THAT(events, HasSubstr(",none,fault,kill classifier-3\n"));
    EXPECT_THAT(events, HasSubstr(",collage-hedge,fault,classifier-5 is sound again\n"));
    EXPECT_THAT(events, HasSubstr(",collage-hedge,answer,179,"));
    EXPECT_THAT(read(out / "summary.csv"),
                HasSubstr("\ncollage-hedge,batch," + std::to_string(batches) + ","));
  }
}

// What a reader of the page would see, asked of the page itself.
constexpr const char* kLook = R"(<script>
// A report shows only the parts that its kind of run has.
const canvases = [...document.querySelectorAll("canvas")].filter((c) => c.offsetParent !== null);
const drawn = canvases.filter((c) => c.width > 0 &&
  c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v !== 0));
const look = document.createElement("pre");
look.id = "look";
look.textContent = "canvases " + canvases.length + " drawn " + drawn.length +
  " wide " + (document.documentElement.scrollWidth > window.innerWidth) + " pictures " +
  // The images as sent, and collages of 3 x 3 of them.
  (document.images.length >= 20 &&
    [...document.images].every((i) => i.complete && [28, 84].includes(i.naturalWidth))) +
  " collages " + (document.querySelectorAll(".whole img").length >= 2 &&
    [...document.querySelectorAll(".whole img")].every((i) => i.naturalWidth === 84)) +
  " cut " + [...document.querySelectorAll(".scroll")].some((s) => s.scrollWidth > s.clientWidth) +
  " bars " + document.querySelectorAll("#bars .fill").length +
  " says " + document.getElementById("headline").textContent.slice(0, 24);
document.body.append(look);
</script>)";

TEST_F(ReplayRun, ItsPageDrawsEveryPlotInABrowserAtTwoWidths) {
  std::string page = read(folder_ / "small-live/report.html");
  page.insert(page.rfind("</body>"), kLook);
  std::ofstream(folder_ / "look.html") << page;
  for (const int width : {1200, 400}) {
    const std::string picture = (folder_ / ("look" + std::to_string(width) + ".png")).string();
    const Ran ran = system_test::run(
        {"/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--user-data-dir=" + (folder_ / "browser").string(), "--enable-logging=stderr",
         "--virtual-time-budget=5000", "--window-size=" + std::to_string(width) + ",3000",
         "--screenshot=" + picture, "--dump-dom",
         "file://" + std::filesystem::absolute(folder_ / "look.html").string()},
        kEndMax);
    EXPECT_THAT(ran.output, Not(HasSubstr("CONSOLE"))) << width;
    EXPECT_THAT(ran.output, HasSubstr("canvases 5 drawn 5 wide false pictures true collages true"))
        << width;
    // At 400 pixels tables are scrolled; a desktop shows every column.
    EXPECT_THAT(ran.output,
                HasSubstr(width == 1200 ? " cut false bars 2 says Policy collage-hedge ans"
                                        : " bars 2 says Policy collage-hedge ans"));
    const std::string bytes = read(picture);
    const auto seen = imaging::decode(
        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {width, 3000, 3}, {});
    ASSERT_TRUE(seen.has_value()) << picture;
  }
}

TEST_F(ReplayRun, IsReportedAgainAndComparedWithAnother) {
  const std::string program = (runtime::program_folder() / "collage-replay").string();
  const std::filesystem::path live = folder_ / "small-live";
  const std::filesystem::path page = folder_ / "compare.html";
  const auto before = nlohmann::json::parse(read(live / "summary.json"));
  std::filesystem::remove(live / "summary.json");
  std::filesystem::remove(live / "report.html");
  EXPECT_EQ(system_test::run({program, "report", live.string()}, kEndMax).code, 0);
  const auto after = nlohmann::json::parse(read(live / "summary.json"));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& was = before["policies"][i];
    const auto& is = after["policies"][i];
    EXPECT_EQ(is["name"], was["name"]);
    EXPECT_EQ(is["accuracy"], was["accuracy"]);
    EXPECT_EQ(is["extra_work"], was["extra_work"]);
    for (const char* figure : {"mean_s", "sd_s", "p50_s", "p99_s"}) {  // To the log's microseconds.
      EXPECT_NEAR(is["per_batch"][figure].get<double>(), was["per_batch"][figure].get<double>(),
                  2e-6);
    }
    EXPECT_NEAR(is["sim_p99_s"].get<double>(), was["sim_p99_s"].get<double>(), 2e-6);
  }
  EXPECT_THAT(read(live / "report.html"), HasSubstr("data:image/png;base64,"));
  // Each report links to that of the same scenario's other run, and the comparison to both.
  EXPECT_THAT(read(live / "report.html"), HasSubstr(R"("page":"../small-sim/report.html")"));
  EXPECT_THAT(read(folder_ / "small-sim/report.html"),
              HasSubstr(R"("page":"../small-live/report.html")"));
  const Ran compared = system_test::run({program, "compare", live.string(),
                                         (folder_ / "small-sim").string(), "--page", page.string()},
                                        kEndMax);
  ASSERT_EQ(compared.code, 0) << compared.output;
  EXPECT_THAT(compared.output, HasSubstr("small-sim"));
  EXPECT_THAT(read(page), AllOf(HasSubstr(R"("page":"small-live/report.html")"),
                                HasSubstr(R"("page":"small-sim/report.html")")));
  EXPECT_THAT(read(page), HasSubstr("\"collage-hedge, small-live\""));
}

constexpr const char* kBadLinks = R"(
about: A stage whose answers are invalid and one behind a link that delays and loses.
policies: [collage-hedge]
arrivals: {kind: busy-batches}
latency: {source: log-normal, median: 20ms, sigma: 0.1}
faults:
  - {what: garbage, node: classifier-3, for: 1m}
  - {what: link, node: classifier-5, delay: 20ms, loss: 0.1, for: 1m}
  - {what: link, node: sink, loss: 1, for: 1m}
live_batches: 40
simulated_batches: 0
settings: [broker.linger=5ms]
)";

long count(const std::string& text, const std::string& what) {
  long found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++found;
  return found;
}

// The number before a word in the line of a relay.
long relay_count(const std::string& output, const std::string& relay, const std::string& word) {
  const std::size_t line = output.find("relay before " + relay);
  if (line == output.npos) return -1;
  const std::size_t end = output.find(word, line);
  const std::size_t begin = output.rfind(' ', end - 2) + 1;
  return std::stol(output.substr(begin, end - begin));
}

TEST_F(Replay, GarbageAndABadLinkCostNoAnswer) {
  const Ran ran = replay(kBadLinks);
  ASSERT_EQ(ran.code, 0) << ran.output;
  const std::filesystem::path out = folder_ / "small-live";
  const auto policy = nlohmann::json::parse(read(out / "summary.json"))["policies"][0];
  EXPECT_EQ(policy["per_request"]["count"], 360);
  EXPECT_EQ(policy["violations"], 0);
  // The relays changed and lost messages, and every image was answered.
  const long invalid = relay_count(ran.output, "classifier-3", "of them made invalid");
  EXPECT_GT(invalid, 5) << ran.output;
  EXPECT_GT(relay_count(ran.output, "classifier-5", "lost"), 0) << ran.output;
  const std::string events = unzipped(out / "events.csv.gz");
  EXPECT_THAT(events, Not(HasSubstr(",missing,")));
  // Another stage or the collage had to answer, unless the stage itself was the hedge.
  EXPECT_GE(count(events, ",collage,") + count(events, ",hedge,"), invalid / 2);
  EXPECT_THAT(events, HasSubstr("fault,garbage from classifier-3\n"));
  // A fault that no relay can apply is reported as left out and is not in the events.
  EXPECT_THAT(ran.output, HasSubstr("left out live: bad link of sink"));
  EXPECT_THAT(events, Not(HasSubstr("sink")));
}

constexpr const char* kBrokerFaults = R"(
about: A broker that is killed and asked to end while its stages and its sink go on.
policies: [collage]
arrivals: {kind: busy-batches}
latency: {source: log-normal, median: 40ms, sigma: 0.3}
faults:
  - {what: kill, node: broker, after: 300ms, for: 500ms}
  - {what: restart, node: broker, after: 3s}
live_batches: 60
simulated_batches: 0
settings: [broker.linger=5ms]
)";

TEST_F(Replay, ABrokerThatIsStartedAgainBreaksNoPromise) {
  const Ran ran = replay(kBrokerFaults);
  ASSERT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, Not(HasSubstr("VIOLATION")));
  const std::filesystem::path out = folder_ / "small-live";
  const auto policy = nlohmann::json::parse(read(out / "summary.json"))["policies"][0];
  EXPECT_EQ(policy["images"], 540);
  EXPECT_EQ(policy["violations"], 0);
  const std::string events = unzipped(out / "events.csv.gz");
  EXPECT_THAT(events, HasSubstr("fault,kill broker\n"));
  EXPECT_THAT(events, HasSubstr("fault,broker is sound again\n"));
}

// The broker cannot bind its endpoint and exits; the other processes are alive and never ready.
TEST_F(Replay, AFleetWithAProcessThatExitsAtItsStartFailsAtOnce) {
  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(taken, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(taken, 1), 0);
  ASSERT_EQ(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
  std::string scenario = kSmall;
  const std::string setting = "broker.linger=5ms";
  scenario.replace(scenario.find(setting), setting.size(),
                   setting + ", \"endpoints.producers=tcp://127.0.0.1:" +
                       std::to_string(ntohs(address.sin_port)) + "\"");
  // A wait that followed the clock alone would last for live::kReadyMax and be killed here.
  const Ran ran = replay(scenario);
  close(taken);
  EXPECT_EQ(ran.code, 2) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("broker ended with 1: "));
  EXPECT_THAT(ran.output, HasSubstr("Address already in use"));
}

TEST_F(Replay, CtrlCEndsWithAReportOfWhatWasMeasured) {
  std::string scenario = kSmall;
  scenario.replace(scenario.find("live_batches: 20"), 16, "live_batches: 120");
  std::ofstream(folder_ / "small.yaml") << scenario;
  const std::filesystem::path log = folder_ / "interrupted.log";
  replay::live::Process process({(runtime::program_folder() / "collage-replay").string(), "run",
                                 (folder_ / "small.yaml").string(), "--out", folder_.string()},
                                log);
  while (read(log).find("30/120 batches") == std::string::npos) {  // A quarter is printed.
    ASSERT_EQ(process.exited(), std::nullopt) << read(log);
    std::this_thread::yield();
  }
  process.signal(SIGINT);
  EXPECT_EQ(process.wait(kEndMax), 1) << read(log);
  const auto summary = nlohmann::json::parse(read(folder_ / "small-live/summary.json"));
  ASSERT_EQ(summary["policies"].size(), 1u);  // The next policy was not begun,
  EXPECT_GE(summary["policies"][0]["per_batch"]["count"], 30);
  EXPECT_LT(summary["policies"][0]["per_batch"]["count"], 120);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "small-sim"));  // nor the simulation.
  EXPECT_THAT(read(log), HasSubstr("small-live/report.html"));
}

TEST_F(Replay, ARecordingOfAPipelineIsALatencySeries) {
  system_test::LivePipeline pipeline({{"policy", "none"}}, {.classifiers = 2, .collages = 0});
  const std::filesystem::path series = folder_ / "series.csv";
  const Ran ran = system_test::run(
      {(runtime::program_folder() / "collage-replay").string(), "record", "--endpoint",
       pipeline.producers(), "--images", "40", "--out", series.string()},
      kEndMax);
  ASSERT_EQ(ran.code, 0) << ran.output;
  const std::vector<double> seconds = runtime::load_series(series);
  EXPECT_EQ(seconds.size(), 40u);
  for (const double value : seconds) EXPECT_GT(value, 0);
  EXPECT_TRUE(pipeline.stop());
}

constexpr const char* kDeployed = R"(
about: A few batches asked of a pipeline that is up.
policies: [none, collage]
classifiers: 2
latency: {source: log-normal, median: 10ms, sigma: 0.1}
slow: {stages: [classifier-1], factor: 2}
faults:
  - {what: kill, node: classifier-1, after: 0s}
live_batches: 5
simulated_batches: 0
warm_up: 2
settings: [broker.linger=5ms]
)";

class Deployed : public Replay {
 protected:
  Deployed() {
    std::ofstream(folder_ / "small.yaml") << kDeployed;
    const Ran printed = ask({"--policies", "none", "--print-pipeline"}, "pipeline.yaml");
    EXPECT_EQ(printed.code, 0) << printed.output;
    std::ofstream(folder_ / "deployed.yaml") << printed.output;
  }

  Ran ask(std::vector<std::string> options, const std::filesystem::path& pipeline) const {
    std::vector<std::string> argv = {(runtime::program_folder() / "collage-replay").string(),
                                     "run",
                                     (folder_ / "small.yaml").string(),
                                     "--out",
                                     folder_.string(),
                                     "--pipeline",
                                     pipeline.string()};
    argv.insert(argv.end(), options.begin(), options.end());
    return system_test::run(std::move(argv), kEndMax);
  }
};

TEST_F(Deployed, APipelineThatIsUpIsRunAndReportedLikeOneOfItsOwn) {
  system_test::LivePipeline pipeline({}, {.classifiers = 2, .collages = 0},
                                     folder_ / "deployed.yaml");
  const Ran ran = ask({"--policies", "none", "--deployed"}, pipeline.file());
  ASSERT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("left out deployed: kill classifier-1"));
  const std::filesystem::path out = folder_ / "small-deployed";
  const auto summary = nlohmann::json::parse(read(out / "summary.json"));
  EXPECT_EQ(summary["mode"], "deployed");
  EXPECT_EQ(summary["policies"][0]["per_request"]["count"], 45);
  EXPECT_EQ(summary["policies"][0]["violations"], 0);
  EXPECT_EQ(count(unzipped(out / "events.csv.gz"), ",none,answer,"), 45);

  const std::string program = (runtime::program_folder() / "collage-replay").string();
  const Ran joined =
      system_test::run({program, "join", (folder_ / "whole").string(), out.string()}, kEndMax);
  ASSERT_EQ(joined.code, 0) << joined.output;
  EXPECT_EQ(nlohmann::json::parse(read(folder_ / "whole/summary.json"))["policies"].size(), 1u);
  EXPECT_TRUE(pipeline.stop());
}

TEST_F(Deployed, AnotherPipelineThanTheScenarioDescribesIsRefused) {
  const Ran ran = ask({"--policies", "collage", "--deployed"}, folder_ / "deployed.yaml");
  EXPECT_EQ(ran.code, 2) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("is not the pipeline of small under collage"));
}

TEST_F(Deployed, SeveralPoliciesAtOnceAreRefused) {
  const Ran ran = ask({"--deployed"}, folder_ / "deployed.yaml");
  EXPECT_EQ(ran.code, 2) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("choose one with --policies"));
}

TEST_F(Deployed, APipelineOfTwoSinksIsMeasuredLikeOneOfOne) {
  const Ran printed = ask({"--policies", "collage", "--print-pipeline"}, "pipeline.yaml");
  std::ofstream(folder_ / "two_sinks.yaml") << printed.output;
  const std::vector<int> ports = replay::live::free_ports(2);
  const std::string local = "tcp://127.0.0.1:";
  system_test::LivePipeline pipeline(
      {{"endpoints.answers",
        "[" + local + std::to_string(ports[0]) + ", " + local + std::to_string(ports[1]) + "]"}},
      {.classifiers = 2, .collages = 1}, folder_ / "two_sinks.yaml");
  const Ran ran = ask({"--policies", "collage", "--deployed"}, pipeline.file());
  ASSERT_EQ(ran.code, 0) << ran.output;
  const auto summary = nlohmann::json::parse(read(folder_ / "small-deployed/summary.json"));
  EXPECT_EQ(summary["policies"][0]["per_request"]["count"], 45);
  EXPECT_EQ(summary["policies"][0]["violations"], 0);
  EXPECT_GT(summary["policies"][0]["extra_work"], 0);
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
