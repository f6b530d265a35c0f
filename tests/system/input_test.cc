// What users may get wrong: messages, arguments and configuration, against real processes.  Images
// are in mixed_images_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "runtime/loop/clock.h"
#include "runtime/pipeline/variant.h"
#include "runtime/service/install_paths.h"
#include "runtime/service/version.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::LivePipeline;
using system_test::program;
using system_test::Ran;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsSupersetOf;

wire::Payload::Bytes png() {
  const system_test::Sample sample = system_test::samples(1)[0];
  return {sample.image.bytes().begin(), sample.image.bytes().end()};
}

// Sends raw frames to an endpoint; see the script for what.
Ran send_garbage(const std::string& endpoint) {
  const std::filesystem::path script = system_test::scratch("garbage.py");
  std::ofstream(script) << R"(
import socket, sys, msgpack, zmq
endpoint = sys.argv[1]
context = zmq.Context()
def dealer():
    s = context.socket(zmq.DEALER); s.linger = 1000; s.connect(endpoint); return s
s = dealer()
for frames in ([b""], [b"garbage"], [b"\xdd\xff\x00\x00\x00"], [b"\xc1"] * 3,
               [msgpack.packb([2, 5, 1])], [msgpack.packb([2, 5, "x", 0]), b"image"],
               [msgpack.packb([2, 99])], [msgpack.packb([7, 1, [1, 2]])],
               [msgpack.packb([2, 12, [9, 9], 0])], [b"x"] * 1000):
    s.send_multipart(frames)
s.send_multipart([msgpack.packb([7, 1, [1, 2]])])
refused = set()
while s.poll(1000):
    refused.add(tuple(msgpack.unpackb(s.recv_multipart()[0])[1:3]))
host, port = endpoint[6:].split(":")
with socket.create_connection((host, int(port))) as plain:
    plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
print(sorted(refused))
)";
  return system_test::run({"/usr/bin/python3", script.string(), endpoint}, 30s);
}

TEST(Input, GarbageOnEitherPortIsCountedAndHarmsNobody) {
  LivePipeline pipeline({}, {.classifiers = 1, .collages = 1});
  for (const std::string& endpoint : {pipeline.producers(), pipeline.workers()}) {
    const Ran ran = send_garbage(endpoint);
    EXPECT_EQ(ran.code, 0) << ran.output;
    // refuse (4) with wrong_protocol (32) and bad_message (33).
    EXPECT_THAT(ran.output, AllOf(HasSubstr("(4, 32)"), HasSubstr("(4, 33)")));
  }
  const auto now = pipeline.counters();
  EXPECT_GE(now.at("bad_messages"), 16u);
  producer::Connection connection(pipeline.producers());
  wire::ResultStatus status = wire::ResultStatus::missing;
  (void)connection.submit(system_test::samples(1)[0].image,
                          [&](const producer::Delivered& d) { status = d.result.status; });
  connection.close(20s);
  EXPECT_EQ(status, wire::ResultStatus::answered);
  EXPECT_TRUE(pipeline.stop());
}

// One byte more than the limit, from a producer that does not check it; and a limit below what
// headers need.
TEST(Input, AnImageALittleTooLargeIsRefusedByNameOnTheWire) {
  const std::filesystem::path script = system_test::scratch("large.py");
  std::ofstream(script) << R"(
import sys, msgpack, zmq
s = zmq.Context().socket(zmq.DEALER); s.linger = 0; s.connect(sys.argv[1])
s.send_multipart([msgpack.packb([2, 1, [5, 6], False])])
s.send_multipart([msgpack.packb([2, 5, 1, 0]), b"x" * 1025])
while s.poll(10_000):
    _, kind, *fields = msgpack.unpackb(s.recv_multipart()[0])
    if kind == 6: sys.exit(print(fields[1], fields[3]))
sys.exit("no result")
)";
  LivePipeline pipeline({{"broker.image_bytes_max", "1KiB"}}, {.classifiers = 1, .collages = 1});
  const Ran ran =
      system_test::run({"/usr/bin/python3", script.string(), pipeline.producers()}, 30s);
  EXPECT_EQ(ran.output, "3 16\n");  // refused, image_too_large.
  EXPECT_TRUE(pipeline.stop());
}

TEST(Input, TheProducerOfWireMdRunsAsItStands) {
  std::ifstream in(std::string(COLLAGE_SOURCE_DIR) + "/docs/WIRE.md");
  std::stringstream text;
  text << in.rdbuf();
  std::smatch match;
  const std::string page = text.str();
  const std::size_t begin = page.find("```python\n") + 10;
  const std::size_t end = page.find("```", begin);
  ASSERT_NE(end, std::string::npos);
  const std::filesystem::path script = system_test::scratch("producer.py");
  std::ofstream(script) << page.substr(begin, end - begin);
  const std::filesystem::path image = system_test::scratch("image.png");
  const wire::Payload::Bytes bytes = png();
  std::ofstream(image).write(reinterpret_cast<const char*>(bytes.data()),
                             static_cast<std::streamsize>(bytes.size()));

  LivePipeline pipeline({}, {.classifiers = 1, .collages = 1});
  const Ran ran = system_test::run(
      {"/usr/bin/python3", script.string(), pipeline.producers(), image.string()}, 30s);
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("'status': 0"));
  EXPECT_TRUE(pipeline.stop());
}

std::vector<std::string> shell(const std::string& command) { return {"/bin/sh", "-c", command}; }

TEST(Input, PushPrintsOneLineAnImageAndItsExitCodeTellsWhetherAllWereAnswered) {
  LivePipeline pipeline({}, {.classifiers = 1, .collages = 1});
  const std::filesystem::path folder = system_test::scratch("images");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const wire::Payload::Bytes bytes = png();
  for (const char* name : {"a.png", "b.png"}) {
    std::ofstream(folder / name)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  const std::vector<std::string> push = {program("collage-push"), folder.string(), "--endpoint",
                                         pipeline.producers(), "--quiet"};
  Ran ran = system_test::run(push, 30s);
  EXPECT_EQ(ran.code, 0) << ran.output;
  std::istringstream lines(ran.output);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("status"), "answered");
    EXPECT_EQ(json.at("class"), "Ankle boot");
    EXPECT_EQ(json.at("source"), "single");
    EXPECT_GE(json.at("latency_s").get<double>(), json.at("broker_latency_s").get<double>());
  }
  EXPECT_EQ(count, 2);

  // A list as `find -print0` writes it, which names the folder first; CSV; the summary.
  ran = system_test::run(shell("find " + folder.string() + " -print0 | COLLAGE_ENDPOINT=" +
                               pipeline.producers() + " " + push[0] + " - --format csv"),
                         30s);
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output,
              AllOf(HasSubstr("/a.png,answered,Ankle boot,9,"), HasSubstr("/b.png,answered,"),
                    HasSubstr("2 of 2 answered"), HasSubstr("latency: p50 ")));

  std::ofstream(folder / "c.png") << "no image";
  ran = system_test::run(push, 30s);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.output, HasSubstr("not_an_image"));

  ran = system_test::run(
      shell(push[0] + " -e " + pipeline.producers() + " " + (folder / "a.png").string() + " >&-"),
      30s);
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.output, HasSubstr("could not be written"));

  for (const char* no_list : {"- <&-", "- < /", "- < /dev/null", "- < /proc/self/mem"}) {
    ran = system_test::run(shell(push[0] + " -q -e " + pipeline.producers() + " " + no_list), 30s);
    EXPECT_EQ(ran.code, 1) << no_list;
    EXPECT_THAT(ran.output, HasSubstr(R"({"file":"-","status":"unreadable")")) << no_list;
  }
  EXPECT_TRUE(pipeline.stop());
}

TEST(Input, AnEndpointThatCannotBeUsedIsNamedByPush) {
  const auto push = [](const std::string& endpoint) {
    return system_test::run({program("collage-push"), "x", "--timeout", "0.1", "-e", endpoint},
                            60s);
  };
  Ran ran = push("tcp://*:5570");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("the broker's host"));
  ran = push("tcp://no-such-host.invalid:5570");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("the name no-such-host.invalid does not resolve"));
  ran = system_test::run({program("collage-push"), "x", "-e", "tcp://a:1", "--dedline", "3"}, 20s);
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("did you mean --deadline?"));
  ran = system_test::run({program("collage-stage"), "clasifier"}, 20s);
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.output, HasSubstr("did you mean classifier?"));
}

TEST(Input, CheckRefusesEndpointsThatTheProcessCouldNotUse) {
  const std::filesystem::path file = system_test::scratch("pipeline.yaml");
  const auto check = [&](const std::string& endpoint) {
    std::ofstream(file) << runtime::pipeline_variant(COLLAGE_SOURCE_DIR "/pipeline.yaml",
                                                     {{"endpoints.producers", endpoint}});
    return system_test::run({program("collage-broker"), "--check", file.string()}, 60s);
  };
  EXPECT_EQ(check("tcp://localhost:5570").code, 0);
  EXPECT_EQ(check("tcp://*:5570").code, 0);
  EXPECT_THAT(check("tcp://no-such-host.invalid:5570").output,
              AllOf(HasSubstr("endpoints.producers"), HasSubstr("does not resolve")));
  EXPECT_THAT(check("tcp://192.0.2.1:5570").output, HasSubstr("not an address of this host"));
  EXPECT_EQ(check("tcp://192.0.2.1:5570").code, 2);
}

TEST(Input, AFileThatIsWrongIsOneLineAndExitCodeTwo) {
  const std::filesystem::path file = system_test::scratch("pipeline.yaml");
  std::ofstream(file) << "grid: 3\npolcy: collage\n";
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{program("collage-broker"), file.string()},
        {program("collage-sink"), "--check", file.string()},
        {program("collage-stage"), "classifier", file.string()},
        {program("collage-replay"), "pipeline", file.string()}}) {
    const Ran ran = system_test::run(argv, 20s);
    EXPECT_EQ(ran.code, 2) << argv[0];
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("pipeline.yaml:"));
  }
}

TEST(Input, CheckValidatesTheShippedFileAndStartsNothing) {
  const std::string file = std::string(COLLAGE_SOURCE_DIR) + "/pipeline.yaml";
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{program("collage-broker"), "--check", file},
        {program("collage-sink"), "--check", file},
        {program("collage-stage"), "classifier", "--check", file},
        {program("collage-stage"), "collage", "--check", file}}) {
    const Ran ran = system_test::run(argv, 30s);
    EXPECT_EQ(ran.code, 0) << ran.output;
    EXPECT_EQ(ran.output, "");
  }
}

// Every host is told, not only those of collage stages.
TEST(Input, CheckRefusesACollageThatDoesNotFit) {
  const std::filesystem::path file = system_test::scratch("pipeline.yaml");
  const auto check = [&](std::vector<std::string> argv,
                         const std::vector<std::pair<std::string, std::string>>& values) {
    std::ofstream(file) << runtime::pipeline_variant(COLLAGE_SOURCE_DIR "/pipeline.yaml", values);
    argv.insert(argv.end(), {"--check", file.string()});
    return system_test::run(argv, 60s);
  };
  for (const std::vector<std::string>& argv : {std::vector<std::string>{program("collage-sink")},
                                               {program("collage-stage"), "classifier"},
                                               {program("collage-stage"), "collage"}}) {
    EXPECT_THAT(check(argv, {{"grid", "2"}}).output, HasSubstr("grid: is 3, the pipeline's is 2"));
    EXPECT_THAT(
        check(argv, {{"models.single", COLLAGE_SOURCE_DIR "/models/cifar10_single.yaml"}}).output,
        HasSubstr("classes: are not those of the single-image model"));
  }
}

TEST(Input, WithoutRedundancyNoCollageIsNeeded) {
  const std::filesystem::path file = system_test::scratch("pipeline.yaml");
  // A value that is empty leaves the key out.
  std::ofstream(file) << runtime::pipeline_variant(COLLAGE_SOURCE_DIR "/pipeline.yaml",
                                                   {{"policy", "none"}, {"models.collage", ""}});
  for (const std::vector<std::string>& argv :
       {std::vector<std::string>{program("collage-broker"), "--check", file.string()},
        {program("collage-sink"), "--check", file.string()},
        {program("collage-stage"), "classifier", "--check", file.string()}}) {
    const Ran ran = system_test::run(argv, 60s);
    EXPECT_EQ(ran.code, 0) << ran.output;
  }
  EXPECT_THAT(
      system_test::run({program("collage-stage"), "collage", "--check", file.string()}, 60s).output,
      HasSubstr("models.collage: is missing, a collage stage needs it"));
}

TEST(Input, PrintConfigTellsEachValueAndWhereItComesFrom) {
  const std::string file = COLLAGE_SOURCE_DIR "/pipeline.yaml";
  const Ran ran = system_test::run({program("collage-sink"), "--print-config", file}, 30s);
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, testing::ContainsRegex("\nsink:\n  patience: learned +# line [0-9]+\n"));
}

// Its answers go on, and its file is looked at again.
TEST(Input, AHangupMakesEveryServiceReadItsFileAgain) {
  LivePipeline pipeline({}, {.classifiers = 1, .collages = 1});
  std::ofstream(pipeline.file(), std::ios::app) << "# Changed, but means what it meant.\n";
  for (const std::string name : {"broker", "sink", "classifier-0", "collage-0"}) {
    pipeline.fleet().process(name).signal(SIGHUP);
    const auto heard = [&] {
      return replay::live::log_tail(pipeline.logs(), name)
                 .find("read again, nothing has changed") != std::string::npos;
    };
    pipeline.await([&](const auto&) { return heard(); }, 20s);
    EXPECT_TRUE(heard()) << name;
  }
  EXPECT_TRUE(pipeline.fleet().exited().empty());
  EXPECT_TRUE(pipeline.stop());
}

// Its port may be free later: whoever supervises it should try again, which exit code 2 forbids.
TEST(Input, APortThatIsTakenIsNoErrorOfTheFile) {
  LivePipeline pipeline({}, {.classifiers = 1, .collages = 0});
  const Ran second = system_test::run({program("collage-broker"), pipeline.file().string()}, 20s);
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.output, HasSubstr("Address already in use"));
  // A whole pipeline ends at once: its processes would be started again and again.
  const Ran whole =
      system_test::run({program("collage-replay"), "pipeline", "--logs",
                        system_test::scratch("logs").string(), pipeline.file().string()},
                       20s);
  EXPECT_EQ(whole.code, 2);
  EXPECT_THAT(whole.output,
              AllOf(HasSubstr("endpoints.producers: another process has " + pipeline.producers()),
                    HasSubstr("running already?")));
  EXPECT_EQ(std::count(whole.output.begin(), whole.output.end(), '\n'), 1) << whole.output;
}

TEST(Input, EveryProgramTellsItsVersionAndHelp) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(runtime::program_folder())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("collage-")) names.insert(name);
  }
  EXPECT_THAT(names,
              IsSupersetOf({"collage-broker", "collage-keys", "collage-push", "collage-replay",
                            "collage-sink", "collage-stage", "collage-train"}));
  for (const std::string& name : names) {
    const Ran version = system_test::run({program(name), "--version"}, 20s);
    EXPECT_EQ(version.code, 0) << name;
    EXPECT_EQ(version.output, runtime::version_text() + "\n") << name;
    const Ran help = system_test::run({program(name), "--help"}, 20s);
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_THAT(help.output, HasSubstr(name));
  }
}

}  // namespace
