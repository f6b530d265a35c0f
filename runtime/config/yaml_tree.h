// A YAML file as a tree in which every key and value knows its place.
//
// A strict subset for configuration: one document, plain keys, no anchors, aliases or tags, no
// key twice in a mapping, bounded in size and depth.  A byte-order mark and CRLF line ends are
// accepted, tabs in an indentation are not.
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
  std::string text;                // Of a scalar.
  bool plain = false;              // A scalar without quotes, which may be a number or a flag.
  std::vector<YamlNode> items;     // Of a sequence.
  std::vector<YamlEntry> entries;  // Of a mapping, in the order of the file.
};

struct YamlEntry {
  std::string key;
  Mark mark;
  YamlNode value;
};

inline constexpr std::size_t kYamlBytesMax = std::size_t{1} << 20;
inline constexpr std::size_t kYamlDepthMax = 16;

// Requires text of at most kYamlBytesMax bytes.  The root may be of any kind.  Throws ConfigError;
// `name` stands for the file in its line.
YamlNode parse_yaml(const std::string& text, const std::string& name);

}  // namespace runtime
