// What a Document and its Sections share; for document.cc and section.cc alone.
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
  // The keys that each mapping read as a section was asked for, in the order of the questions.
  std::map<const YamlNode*, std::vector<std::string>> known;
  std::vector<Document::Resolved> resolved;
};

}  // namespace runtime
