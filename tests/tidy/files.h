// The files of the project, as text.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

inline const std::filesystem::path kRoot = COLLAGE_SOURCE_DIR;

// The path may be relative to the root.
inline std::string read(const std::filesystem::path& path) {
  std::ifstream in(kRoot / path);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
