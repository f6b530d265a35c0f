#include "tests/system/run_program.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "replay/live/process.h"
#include "runtime/service/install_paths.h"

namespace system_test {

std::filesystem::path scratch(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path folder = runtime::program_folder() / "../system-test" / test->name();
  std::filesystem::create_directories(folder);
  return folder / name;
}

std::string program(const std::string& name) { return (runtime::program_folder() / name).string(); }

Ran run(std::vector<std::string> argv, wire::Duration patience) {
  const std::filesystem::path out = scratch("output");
  std::filesystem::remove(out);
  replay::live::Process process(std::move(argv), out);
  Ran ran;
  ran.code = process.wait(patience);
  std::ifstream in(out);
  std::stringstream text;
  text << in.rdbuf();
  ran.output = text.str();
  return ran;
}

}  // namespace system_test
