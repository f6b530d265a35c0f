// Programs run to their end by a test, and where it keeps its files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "wire/types.h"

namespace system_test {

// Runs a command to its end; its output goes to a file that is read back.
struct Ran {
  int code = 0;
  std::string output;
};
Ran run(std::vector<std::string> argv, wire::Duration patience);

// The path of a program of this build.
std::string program(const std::string& name);

// The folder of this test's scratch files.
std::filesystem::path scratch(const std::string& name);

}  // namespace system_test
