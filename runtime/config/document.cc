#include "runtime/config/document.h"

#include <algorithm>
#include <utility>

#include "runtime/config/document_state.h"
#include "runtime/config/suggest.h"

namespace runtime {
namespace {

std::string joined(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string unknown_key(const std::string& key, const std::vector<std::string>& known) {
  if (const auto near = nearest(key, known)) return "unknown key, did you mean '" + *near + "'?";
  if (known.empty()) return "unknown key, none is allowed here";
  return "unknown key, allowed here: " + joined(known);
}

// Walks the tree in the order of the file, so that the first error is the topmost one.
void refuse_unknown(const DocumentState& state, const YamlNode& node, const std::string& path) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    refuse_unknown(state, node.items[i], path + "[" + std::to_string(i) + "]");
  }
  // A node that nobody read as a section needs no check: its own key was refused one level above.
  const auto section = state.known.find(&node);
  if (section == state.known.end()) return;
  const std::vector<std::string>& known = section->second;
  for (const YamlEntry& entry : node.entries) {
    const std::string name = path.empty() ? entry.key : path + "." + entry.key;
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      throw ConfigError(state.name, entry.mark, printable(name), unknown_key(entry.key, known));
    }
    refuse_unknown(state, entry.value, name);
  }
}

}  // namespace

Document Document::load(const std::filesystem::path& path) {
  return parse(read_config_file(path.string(), kYamlBytesMax), path.string());
}

Document Document::parse(const std::string& text, const std::string& name) {
  auto state = std::make_shared<DocumentState>();
  state->name = name;
  state->root = parse_yaml(text, name);
  if (state->root.kind == YamlNode::Kind::null) {
    throw ConfigError(name, {}, "", "is empty, expected keys with values");
  }
  if (state->root.kind != YamlNode::Kind::mapping) {
    throw ConfigError(name, state->root.mark, "", "is not a mapping, expected keys with values");
  }
  return Document(std::move(state));
}

Section Document::root() const { return Section(state_, &state_->root, {}, ""); }

void Document::finish() const { refuse_unknown(*state_, state_->root, ""); }

const std::vector<Document::Resolved>& Document::resolved() const { return state_->resolved; }

}  // namespace runtime
