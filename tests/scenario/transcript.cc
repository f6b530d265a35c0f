#include "tests/scenario/transcript.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace scenario {

Command::Command(const std::string& line) : line_(line) {
  std::istringstream in(line);
  in >> name;
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      words.push_back(word);
    } else {
      options.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
}

void Command::fail(const std::string& why) const {
  throw std::runtime_error("'" + line_ + "': " + why);
}

const std::string& Command::word(std::size_t n) const {
  if (n >= words.size()) fail("a word is missing");
  return words[n];
}

std::string Command::text(std::string_view key, std::string fallback) const {
  for (const auto& [known, value] : options) {
    if (known == key) return value;
  }
  return fallback;
}

std::string Command::text(std::string_view key) const {
  for (const auto& [known, value] : options) {
    if (known == key) return value;
  }
  fail(std::string(key) + "= is missing");
}

std::size_t Command::number(std::string_view key, std::size_t fallback) const {
  const std::string value = text(key, "");
  return value.empty() ? fallback : std::stoull(value);
}

double Command::real(std::string_view key, double fallback) const {
  const std::string value = text(key, "");
  return value.empty() ? fallback : std::stod(value);
}

wire::Duration Command::duration(std::string_view key, wire::Duration fallback) const {
  const std::string value = text(key, "");
  return value.empty() ? fallback : parse_duration(value);
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

wire::Duration parse_duration(const std::string& text) {
  std::size_t used = 0;
  const long long count = std::stoll(text, &used);
  const std::string unit = text.substr(used);
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  throw std::runtime_error("'" + text + "' is no duration: write 250ms or 2s");
}

std::string to_text(wire::Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         "ms";
}

std::string read(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string play(const std::filesystem::path& file, Story& story) {
  static const std::string kDashes = "----";
  std::istringstream in(read(file));
  std::string out;
  std::string said;
  bool skipping = false;  // The outputs written down.
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) skipping = false;
    if (skipping) continue;
    out += line + "\n";
    if (line == kDashes) {
      out += said.empty() ? "ok\n" : said;
      said.clear();
      skipping = true;
    } else if (!line.empty() && line[0] != '#') {
      said += story.run(Command(line));
    }
  }
  if (!said.empty()) throw std::runtime_error(file.string() + ": the last block has no dashes");
  return out;
}

}  // namespace scenario
