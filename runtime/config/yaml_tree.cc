#include "runtime/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace runtime {
namespace {

Mark mark_of(const YAML::Mark& mark) {
  return {.line = std::max(mark.line, 0) + 1, .column = std::max(mark.column, 0) + 1};
}

// Returns true if the quoted text that begins at `from` has a closing quote, or if there is no
// quote at `from`.  Needed because yaml-cpp 0.7 takes the end of the file for the missing quote and
// everything up to there for text.
bool is_closed(std::string_view body, std::size_t from) {
  if (from >= body.size() || (body[from] != '"' && body[from] != '\'')) return true;
  const char quote = body[from];
  for (std::size_t i = from + 1; i < body.size(); ++i) {
    if (quote == '"' && body[i] == '\\') {
      ++i;  // A backslash escapes the next character in double quotes.
    } else if (body[i] == quote && quote == '\'' && body.substr(i + 1).starts_with(quote)) {
      ++i;
    } else if (body[i] == quote) {
      return true;
    }
  }
  return false;
}

// Builds the tree from yaml-cpp's events.  YAML::Node was refused: it resolves aliases, so that a
// small file can expand to a huge tree, and it does not keep the position of a key.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& name, std::string_view body) : name_(name), body_(body) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    start(mark, "", anchor, YamlNode::Kind::null);
    end();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "an alias (*) is not allowed, write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // An escape such as "\0" can make one; C functions would cut the value there.
    if (value.find('\0') != std::string::npos) fail(mark, "a NUL character is not allowed");
    YamlNode& node = start(mark, tag, anchor, YamlNode::Kind::scalar);
    node.text = value;
    node.plain = tag == "?";
    if (!node.plain && !is_closed(body_, static_cast<std::size_t>(std::max(mark.pos, 0)))) {
      fail(mark, "a quote is not closed");
    }
    end();
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, YamlNode::Kind::sequence);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, YamlNode::Kind::mapping);
  }
  void OnMapEnd() override { end(); }

 private:
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& message) const {
    throw ConfigError(name_, mark_of(mark), "", message);
  }

  YamlNode& start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YamlNode::Kind kind) {
    if (anchor != 0) fail(mark, "an anchor (&) is not allowed, write the value out where needed");
    // Without a tag yaml-cpp reports "?" for a plain and "!" for a quoted scalar.
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, "a tag (!) is not allowed, remove it");
    if (open_.size() >= kYamlDepthMax) {
      fail(mark, "nested too deeply, at most " + std::to_string(kYamlDepthMax) + " levels");
    }
    open_.emplace_back();
    open_.back().kind = kind;
    open_.back().mark = mark_of(mark);
    keys_.emplace_back();
    return open_.back();
  }

  // Completes the innermost open node and moves it into the node around it.
  void end() {
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().kind == YamlNode::Kind::sequence) {
      open_.back().items.push_back(std::move(node));
    } else if (!keys_.back()) {
      set_key(std::move(node));
    } else {
      YamlEntry entry = std::move(*keys_.back());
      keys_.back().reset();
      // yaml-cpp gives a missing value the position of whatever follows; the key's is more useful.
      if (node.kind == YamlNode::Kind::null) node.mark = entry.mark;
      entry.value = std::move(node);
      open_.back().entries.push_back(std::move(entry));
    }
  }

  void set_key(YamlNode node) {
    if (node.kind != YamlNode::Kind::scalar || node.text.empty()) {
      throw ConfigError(name_, node.mark, "", "is not a key, expected a text");
    }
    for (const YamlEntry& entry : open_.back().entries) {
      if (entry.key != node.text) continue;
      throw ConfigError(name_, node.mark, in_quotes(node.text),
                        "is given twice, first in line " + std::to_string(entry.mark.line));
    }
    keys_.back() = YamlEntry{std::move(node.text), node.mark, {}};
  }

  const std::string& name_;
  std::string_view body_;
  YamlNode root_;
  std::vector<YamlNode> open_;                  // Nodes not complete yet, the root first.
  std::vector<std::optional<YamlEntry>> keys_;  // The key of each open node that waits for a value.
};

// Returns the size in bytes of the UTF-8 character at the start of the text; 0 if it is not one.
// Overlong forms of 3 and 4 bytes pass: the check finds files in another encoding, not attacks.
std::size_t character_size(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  const std::size_t size = byte < 0x80   ? 1
                           : byte < 0xc2 ? 0
                           : byte < 0xe0 ? 2
                           : byte < 0xf0 ? 3
                           : byte < 0xf5 ? 4
                                         : 0;
  if (size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return 0;
  }
  return size;
}

// Checked before parsing, because yaml-cpp takes such characters for part of a word, or fails at a
// position far from them.
void refuse_odd_characters(std::string_view text, const std::string& name) {
  Mark mark;
  bool indenting = true;
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t size = character_size(text);
    if (size == 0) throw ConfigError(name, mark, "", "is not UTF-8 text");
    if (indenting && c == '\t') {
      throw ConfigError(name, mark, "", "a tab indents this line, use spaces");
    }
    const bool space = c == '\t' || c == '\r' || c == '\n';
    if (c == 0x7f || (c >= 0 && c < 0x20 && !space)) {
      throw ConfigError(name, mark, "", "a control character is not allowed, remove it");
    }
    indenting = c == '\n' || (indenting && c == ' ');
    mark = c == '\n' ? Mark{mark.line + 1, 1} : Mark{mark.line, mark.column + 1};
    text.remove_prefix(size);
  }
}

}  // namespace

YamlNode parse_yaml(const std::string& text, const std::string& name) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const std::string body = text.substr(text.starts_with(kByteOrderMark) ? 3 : 0);
  refuse_odd_characters(body, name);
  std::istringstream stream(body);
  Builder builder(name, body);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    YamlNode root = builder.take_root();
    // Without this check a file with two documents would be used up to the first "---" only.
    Builder second(name, body);
    if (parser.HandleNextDocument(second)) {
      throw ConfigError(name, second.take_root().mark, "", "a second document (---), expected one");
    }
    return root;
  } catch (const YAML::Exception& error) {
    throw ConfigError(name, mark_of(error.mark), "", "is not YAML: " + error.msg);
  }
}

}  // namespace runtime
