#include <algorithm>
#include <utility>

#include "runtime/config/document.h"
#include "runtime/config/document_state.h"
#include "runtime/config/quantity.h"
#include "runtime/config/suggest.h"

namespace runtime {
namespace {

std::string either(const std::vector<std::string>& names) {
  std::string out = "one of ";
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : ", ") + names[i];
  return out;
}

std::string list_text(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return "[" + all + "]";
}

std::string range(const std::string& what, const std::string& min, const std::string& max) {
  return what + " from " + min + " to " + max;
}

}  // namespace

Section::Section(std::shared_ptr<DocumentState> state, const YamlNode* node, Mark mark,
                 std::string path)
    : state_(std::move(state)), node_(node), mark_(mark), path_(std::move(path)) {
  // Also for a section that is asked for no key: then every key in it is unknown.
  if (node_ != nullptr) state_->known.try_emplace(node_);
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const YamlEntry* Section::peek(std::string_view key) const {
  if (node_ == nullptr) return nullptr;
  const auto entry = std::find_if(node_->entries.begin(), node_->entries.end(),
                                  [&](const YamlEntry& e) { return e.key == key; });
  return entry == node_->entries.end() ? nullptr : &*entry;
}

const YamlEntry* Section::find(std::string_view key) {
  if (node_ == nullptr) return nullptr;
  std::vector<std::string>& known = state_->known[node_];
  if (std::find(known.begin(), known.end(), key) == known.end()) known.emplace_back(key);
  return peek(key);
}

bool Section::has(std::string_view key) const { return peek(key) != nullptr; }

std::vector<std::string> Section::keys() const {
  std::vector<std::string> keys;
  if (node_ == nullptr) return keys;
  for (const YamlEntry& entry : node_->entries) keys.push_back(entry.key);
  return keys;
}

bool Section::is_list(std::string_view key) const {
  const YamlEntry* entry = peek(key);
  return entry != nullptr && entry->value.kind == YamlNode::Kind::sequence;
}

void Section::fail(std::string_view key, const std::string& message) const {
  const YamlEntry* entry = peek(key);
  throw ConfigError(state_->name, entry != nullptr ? entry->mark : mark_, path_of(key), message);
}

void Section::fail_at(const YamlNode& value, std::string_view key,
                      const std::string& message) const {
  throw ConfigError(state_->name, value.mark, path_of(key), message);
}

void Section::missing(std::string_view key, const std::string& allowed) const {
  const std::string message = "missing, expected " + allowed;
  std::vector<std::string> spare;
  if (node_ != nullptr) {
    const std::vector<std::string>& known = state_->known[node_];
    for (const YamlEntry& entry : node_->entries) {
      const bool asked = std::find(known.begin(), known.end(), entry.key) != known.end();
      if (!asked) spare.push_back(entry.key);
    }
  }
  // If a key that nobody asked for looks like this one, it is probably this one mistyped; the error
  // then points at its line.
  if (const auto near = nearest(key, spare)) {
    throw ConfigError(
        state_->name, peek(*near)->mark, path_of(key),
        message + "; did you mean '" + std::string(key) + "' by " + in_quotes(*near) + "?");
  }
  fail(key, message);
}

const YamlNode* Section::scalar(std::string_view key, bool optional, const std::string& allowed) {
  const YamlEntry* entry = find(key);
  if (entry == nullptr) {
    if (!optional) missing(key, allowed);
    return nullptr;
  }
  const YamlNode& value = entry->value;
  if (value.kind == YamlNode::Kind::null ||
      (value.kind == YamlNode::Kind::scalar && value.text.empty())) {
    fail_at(value, key, "has no value, expected " + allowed);
  }
  if (value.kind == YamlNode::Kind::sequence) fail_at(value, key, "is a list, expected " + allowed);
  if (value.kind == YamlNode::Kind::mapping)
    fail_at(value, key, "is a section, expected " + allowed);
  return &value;
}

void Section::resolve(std::string_view key, const YamlNode* value, std::string text,
                      const std::string& allowed, std::string fallback) {
  std::string path = path_of(key);
  // Several readers may ask for one key; --print-config must list it once.
  const auto same = [&](const Document::Resolved& known) { return known.path == path; };
  if (std::any_of(state_->resolved.begin(), state_->resolved.end(), same)) return;
  const int line = value != nullptr ? value->mark.line : 0;
  state_->resolved.push_back(
      {std::move(path), std::move(text), line, allowed, std::move(fallback)});
}

std::string Section::text(std::string_view key, std::optional<std::string> fallback) {
  const std::string fallback_text = fallback ? *fallback : "";
  const YamlNode* value = scalar(key, fallback.has_value(), "a text");
  std::string result = value != nullptr ? value->text : *std::move(fallback);
  resolve(key, value, result, "a text", fallback_text);
  return result;
}

std::int64_t Section::integer(std::string_view key, std::int64_t min, std::int64_t max,
                              std::optional<std::int64_t> fallback) {
  const std::string fallback_text = fallback ? std::to_string(*fallback) : "";
  const std::string allowed = range("a whole number", std::to_string(min), std::to_string(max));
  const YamlNode* value = scalar(key, fallback.has_value(), allowed);
  if (value != nullptr) fallback = integer_of(*value, key, min, max, allowed);
  resolve(key, value, std::to_string(*fallback), allowed, fallback_text);
  return *fallback;
}

std::optional<std::int64_t> Section::integer_or_auto(std::string_view key, std::int64_t min,
                                                     std::int64_t max) {
  const std::string allowed =
      range("auto or a whole number", std::to_string(min), std::to_string(max));
  const YamlNode* value = scalar(key, true, allowed);
  std::optional<std::int64_t> number;
  if (value != nullptr && value->text != "auto")
    number = integer_of(*value, key, min, max, allowed);
  resolve(key, value, number ? std::to_string(*number) : "auto", allowed, "auto");
  return number;
}

std::int64_t Section::integer_of(const YamlNode& value, std::string_view key, std::int64_t min,
                                 std::int64_t max, const std::string& allowed) const {
  // A quoted "3" is a text in YAML; taking it for a number would hide a mistake.
  const auto number = value.plain ? parse_integer(value.text) : std::nullopt;
  if (!number || *number < min || *number > max) {
    fail_at(value, key, "is " + in_quotes(value.text) + ", expected " + allowed);
  }
  return *number;
}

double Section::number(std::string_view key, double min, double max,
                       std::optional<double> fallback) {
  const std::string fallback_text = fallback ? number_text(*fallback) : "";
  const std::string allowed = range("a number", number_text(min), number_text(max));
  const YamlNode* value = scalar(key, fallback.has_value(), allowed);
  if (value != nullptr) {
    fallback = value->plain ? parse_number(value->text) : std::nullopt;
    if (!fallback || *fallback < min || *fallback > max) {
      fail_at(*value, key, "is " + in_quotes(value->text) + ", expected " + allowed);
    }
  }
  resolve(key, value, number_text(*fallback), allowed, fallback_text);
  return *fallback;
}

bool Section::flag(std::string_view key, std::optional<bool> fallback) {
  const std::string fallback_text = fallback ? std::string(*fallback ? "true" : "false") : "";
  const YamlNode* value = scalar(key, fallback.has_value(), "true or false");
  if (value != nullptr) {
    fallback = value->text == "true";
    if (!value->plain || (value->text != "true" && value->text != "false")) {
      fail_at(*value, key, "is " + in_quotes(value->text) + ", expected true or false");
    }
  }
  resolve(key, value, *fallback ? "true" : "false", "true or false", fallback_text);
  return *fallback;
}

std::chrono::nanoseconds Section::duration(std::string_view key, std::chrono::nanoseconds min,
                                           std::chrono::nanoseconds max,
                                           std::optional<std::chrono::nanoseconds> fallback) {
  const std::string fallback_text = fallback ? duration_text(*fallback) : "";
  const std::string allowed = range("a duration", duration_text(min), duration_text(max)) +
                              " with a unit (" + std::string(kDurationUnits) + ")";
  const YamlNode* value = scalar(key, fallback.has_value(), allowed);
  if (value != nullptr) {
    fallback = parse_duration(value->text);
    if (!fallback || *fallback < min || *fallback > max) {
      // A number without a unit is the usual mistake, so the error names it.
      const bool bare = parse_number(value->text).has_value();
      fail_at(*value, key,
              "is " + in_quotes(value->text) + (bare ? " without a unit" : "") + ", expected " +
                  allowed);
    }
  }
  resolve(key, value, duration_text(*fallback), allowed, fallback_text);
  return *fallback;
}

std::size_t Section::bytes(std::string_view key, std::size_t min, std::size_t max,
                           std::optional<std::size_t> fallback) {
  const std::string fallback_text = fallback ? bytes_text(*fallback) : "";
  const std::string allowed = range("a size", bytes_text(min), bytes_text(max)) +
                              " in bytes or with a unit (" + std::string(kByteUnits) + ")";
  const YamlNode* value = scalar(key, fallback.has_value(), allowed);
  if (value != nullptr) {
    fallback = parse_bytes(value->text);
    if (!fallback || *fallback < min || *fallback > max) {
      fail_at(*value, key, "is " + in_quotes(value->text) + ", expected " + allowed);
    }
  }
  resolve(key, value, bytes_text(*fallback), allowed, fallback_text);
  return *fallback;
}

std::size_t Section::choose(std::string_view key, const std::vector<std::string>& names,
                            std::optional<std::size_t> fallback) {
  const std::string fallback_text = fallback ? names[*fallback] : "";
  const std::string allowed = either(names);
  const YamlNode* value = scalar(key, fallback.has_value(), allowed);
  if (value != nullptr) {
    const auto name = std::find(names.begin(), names.end(), value->text);
    if (name == names.end()) {
      const auto near = nearest(value->text, names);
      fail_at(*value, key,
              "is " + in_quotes(value->text) + ", " +
                  (near ? "did you mean '" + *near + "'? expected " : "expected ") + allowed);
    }
    fallback = static_cast<std::size_t>(name - names.begin());
  }
  resolve(key, value, names[*fallback], allowed, fallback_text);
  return *fallback;
}

std::vector<std::string> Section::texts(std::string_view key,
                                        std::optional<std::vector<std::string>> fallback) {
  const std::string fallback_text = fallback ? list_text(*fallback) : "";
  const YamlEntry* entry = find(key);
  if (entry == nullptr && !fallback) missing(key, "a list of texts");
  std::vector<std::string> result;
  if (entry == nullptr) {
    result = *std::move(fallback);
  } else if (entry->value.kind != YamlNode::Kind::sequence) {
    fail_at(entry->value, key, "is not a list, expected a list of texts");
  } else {
    for (const YamlNode& item : entry->value.items) {
      const std::string name = std::string(key) + "[" + std::to_string(result.size()) + "]";
      if (item.kind != YamlNode::Kind::scalar || item.text.empty()) {
        fail_at(item, name, "is not a text, expected a text");
      }
      result.push_back(item.text);
    }
  }
  resolve(key, entry != nullptr ? &entry->value : nullptr, list_text(result), "a list of texts",
          fallback_text);
  return result;
}

Section Section::section(std::string_view key) {
  const YamlEntry* entry = find(key);
  if (entry == nullptr) return Section(state_, nullptr, mark_, path_of(key));
  const YamlNode& value = entry->value;
  const bool empty = value.kind == YamlNode::Kind::null;  // "sink:" without keys is null in YAML.
  if (!empty && value.kind != YamlNode::Kind::mapping) {
    fail_at(value, key, "is not a section, expected keys with values");
  }
  return Section(state_, empty ? nullptr : &value, entry->mark, path_of(key));
}

std::vector<Section> Section::sections(std::string_view key) {
  const YamlEntry* entry = find(key);
  if (entry == nullptr) return {};
  if (entry->value.kind != YamlNode::Kind::sequence) {
    fail_at(entry->value, key, "is not a list, expected a list of sections");
  }
  std::vector<Section> result;
  for (const YamlNode& item : entry->value.items) {
    const std::string name = std::string(key) + "[" + std::to_string(result.size()) + "]";
    if (item.kind != YamlNode::Kind::mapping) {
      fail_at(item, name, "is not a section, expected keys with values");
    }
    result.push_back(Section(state_, &item, item.mark, path_of(name)));
  }
  return result;
}

}  // namespace runtime
