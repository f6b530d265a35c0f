// Tests as transcripts: what is said, a line of dashes, and exactly what comes of it.
//
//     # A remark.
//     command word key=value
//     command
//     ----
//     output
//
// Blocks are parted by blank lines and share the story's state; a block that says nothing has
// "ok".  scenario_test --rewrite puts down what comes of it now; the change is then to be read
// and explained like any other.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire/types.h"

namespace scenario {

// One line of input: a name, words, and options of the form key=value, in order.
class Command {
 public:
  explicit Command(const std::string& line);

  std::string name;
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> options;

  // The value of an option; without it, or if it cannot be read, throws with the line.
  std::string text(std::string_view key) const;
  std::string text(std::string_view key, std::string fallback) const;
  std::size_t number(std::string_view key, std::size_t fallback) const;
  double real(std::string_view key, double fallback) const;
  wire::Duration duration(std::string_view key, wire::Duration fallback) const;
  // The n-th word; throws if there is none.
  const std::string& word(std::size_t n) const;
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::string line_;
};

std::vector<std::string> split(const std::string& text, char separator);
// 250ms, 2s, 0ms; throws on anything else.
wire::Duration parse_duration(const std::string& text);
std::string to_text(wire::Duration duration);

// What a transcript drives.
class Story {
 public:
  virtual ~Story() = default;
  // What comes of the command: lines, each ended.
  virtual std::string run(const Command& command) = 0;
};

// The transcript in `file` with its outputs as `story` gives them now.
std::string play(const std::filesystem::path& file, Story& story);
std::string read(const std::filesystem::path& file);

}  // namespace scenario
