// Parses a YAML file into a tree that keeps the position of every key and value.
//
// It accepts a strict subset for configuration: one document, plain keys, no anchors, aliases or
// tags, no key twice in a mapping, bounded size and depth.  A byte-order mark and CRLF line ends
// are accepted; tabs in an indentation are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/config/config_error.h"

namespace runtime {

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };

  Kind kind = Kind::null;
  Mark mark;
  std::string text;                // The text of a scalar.
  bool plain = false;              // True for a scalar without quotes: it may be a number or flag.
  std::vector<YamlNode> items;     // The items of a sequence.
  std::vector<YamlEntry> entries;  // The entries of a mapping, in the order of the file.
};

struct YamlEntry {
  std::string key;
  Mark mark;
  YamlNode value;
};

inline constexpr std::size_t kYamlBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kYamlDepthMax = 16;

// Requires text of at most kYamlBytesMax bytes.  The root may be of any kind.  Throws ConfigError
// with a line that names the file by `name`.
YamlNode parse_yaml(const std::string& text, const std::string& name);

}  // namespace runtime
