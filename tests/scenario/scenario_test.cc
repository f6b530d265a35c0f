// Plays every transcript of this folder; --rewrite puts down what they say now.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "tests/scenario/decode_story.h"
#include "tests/scenario/pipeline_story.h"
#include "tests/scenario/sink_story.h"

namespace scenario {
namespace {

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(COLLAGE_SCENARIO_FOLDER)) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt") {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// A transcript's name begins with its story's.
std::unique_ptr<Story> story_of(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  if (name.starts_with("decode_")) return std::make_unique<DecodeStory>();
  if (name.starts_with("sink_")) return std::make_unique<SinkStory>();
  if (name.starts_with("pipeline_")) return std::make_unique<PipelineStory>();
  throw std::runtime_error(name + ": no story begins like this");
}

class Scenario : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scenario, GoesAsWritten) {
  EXPECT_EQ(play(GetParam(), *story_of(GetParam())), read(GetParam()));
}

TEST_P(Scenario, GoesTheSameTwice) {
  EXPECT_EQ(play(GetParam(), *story_of(GetParam())), play(GetParam(), *story_of(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Transcripts, Scenario, testing::ValuesIn(transcripts()),
                         [](const auto& parameter) { return parameter.param.stem().string(); });

int rewrite() {
  for (const auto& file : transcripts()) {
    const std::string now = play(file, *story_of(file));
    if (now == read(file)) continue;
    std::ofstream(file) << now;
    std::printf("rewritten: %s\n", file.filename().c_str());
  }
  return 0;
}

}  // namespace
}  // namespace scenario

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 2 && std::string_view(argv[1]) == "--rewrite") return scenario::rewrite();
  return RUN_ALL_TESTS();
}
