// A pipe whose reading end stands for standard input.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace producer {

// hang_up closes the writing end.
struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends.data()), 0); }
  ~Pipe() {
    close(ends[0]);
    hang_up();
  }
  void write_text(const std::string& text) {
    EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  std::array<int, 2> ends{};
};

}  // namespace producer
