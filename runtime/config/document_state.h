// The state that a Document shares with its Sections.  Only document.cc and section.cc include it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/config/document.h"
#include "runtime/config/yaml_tree.h"

namespace runtime {

struct DocumentState {
  std::string name;
  YamlNode root;
  // For each mapping that was read as a section: the keys that it was asked for, in that order.
  std::map<const YamlNode*, std::vector<std::string>> known;
  std::vector<Document::Resolved> resolved;
};

}  // namespace runtime
