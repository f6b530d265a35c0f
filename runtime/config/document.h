// Reads a YAML configuration file strictly; every error names the file, the line and the key.
//
// A reader asks each section for the keys that it knows, with the allowed range and the default of
// each.  At the end it calls finish(), which refuses every key that was not asked for:
//
//     auto document = Document::load("pipeline.yaml");
//     Section sink = document.root().section("sink");
//     policy.patience = sink.duration("patience", 1ms, 60s, 250ms);
//     policy.open_batch_max = sink.integer("open_batch_max", 1, 4096);   // No default: required.
//     if (policy.patience >= deadline) sink.fail("patience", "must be less than the deadline");
//     document.finish();
//
//     pipeline.yaml:7:13: sink.patience: is '250' without a unit, expected a duration from 1ms to
//         1m with a unit (ns, us, ms, s, m, h)                         [all in one line]
//
// Every function here throws ConfigError, whose what() is such a line.  Not safe for concurrent
// use.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/config_error.h"

namespace runtime {

struct DocumentState;
struct YamlEntry;
struct YamlNode;

// A name that Section::choice accepts, and the value that the name stands for.
template <class Value>
struct Choice {
  std::string_view name;
  Value value;
};

// A mapping of the file.  An absent or empty section is an empty mapping.  A Section is a handle:
// copies refer to the same section and keep the document alive.
//
// The accessors return the value of a key, or `fallback` if the key is absent; without a fallback
// an absent key is an error.  A key without a value is an error too.  Bounds are inclusive; they
// apply to values from the file, not to fallbacks.
class Section {
 public:
  bool has(std::string_view key) const;
  // The keys of the section in the order of the file, for a section whose keys are names of the
  // user's choice.  Does not count as asking for them.
  std::vector<std::string> keys() const;
  // Whether the key is there and its value is a list.
  bool is_list(std::string_view key) const;

  // Any scalar that is not empty.
  std::string text(std::string_view key, std::optional<std::string> fallback = {});
  std::int64_t integer(std::string_view key, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> fallback = {});
  // The word "auto" or a whole number; nullopt for the word, and if the key is absent.
  std::optional<std::int64_t> integer_or_auto(std::string_view key, std::int64_t min,
                                              std::int64_t max);
  double number(std::string_view key, double min, double max, std::optional<double> fallback = {});
  // The plain words "true" and "false", nothing else.
  bool flag(std::string_view key, std::optional<bool> fallback = {});
  // A number with a unit: "250ms", "1.5s".
  std::chrono::nanoseconds duration(std::string_view key, std::chrono::nanoseconds min,
                                    std::chrono::nanoseconds max,
                                    std::optional<std::chrono::nanoseconds> fallback = {});
  // A whole number of bytes, with or without a unit: "16MiB", "4KiB", "4096".
  std::size_t bytes(std::string_view key, std::size_t min, std::size_t max,
                    std::optional<std::size_t> fallback = {});
  // One of the names of `choices`; returns the value of that name.
  template <class Value>
  Value choice(std::string_view key, std::initializer_list<Choice<Value>> choices,
               std::optional<Value> fallback = {});
  // A list of scalars.  The list may be empty, its items may not.
  std::vector<std::string> texts(std::string_view key,
                                 std::optional<std::vector<std::string>> fallback = {});

  // The section under the key; an empty section if the key is absent.
  Section section(std::string_view key);
  // The items of a list of sections; none if the key is absent.
  std::vector<Section> sections(std::string_view key);

  // Throws an error that the caller found: at the key, or at the section if the key is absent.
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

  // The path of this section in the file: "stages[2].limits"; empty for the root.
  const std::string& path() const { return path_; }

 private:
  friend class Document;
  Section(std::shared_ptr<DocumentState> state, const YamlNode* node, Mark mark, std::string path);

  // Records that the key is known; returns null if the key is absent.
  const YamlEntry* find(std::string_view key);
  const YamlEntry* peek(std::string_view key) const;
  // Like find, but refuses a value that is not a scalar; null means that the fallback holds.
  const YamlNode* scalar(std::string_view key, bool optional, const std::string& allowed);
  std::size_t choose(std::string_view key, const std::vector<std::string>& names,
                     std::optional<std::size_t> fallback);
  std::string path_of(std::string_view key) const;
  // The whole number that `value` must be; `allowed` is for the error.
  std::int64_t integer_of(const YamlNode& value, std::string_view key, std::int64_t min,
                          std::int64_t max, const std::string& allowed) const;
  [[noreturn]] void missing(std::string_view key, const std::string& allowed) const;
  [[noreturn]] void fail_at(const YamlNode& value, std::string_view key,
                            const std::string& message) const;
  // Records the value in effect for the key.  A null `value` means that the fallback holds.
  void resolve(std::string_view key, const YamlNode* value, std::string text,
               const std::string& allowed, std::string fallback);

  std::shared_ptr<DocumentState> state_;
  const YamlNode* node_;  // Null if the section is absent or empty.
  Mark mark_;
  std::string path_;
};

class Document {
 public:
  // Errors name the file by `path` as given, or by `name`.
  static Document load(const std::filesystem::path& path);
  static Document parse(const std::string& text, const std::string& name);

  Section root() const;

  // Refuses the first key, in the order of the file, that its section was not asked for.
  void finish() const;

  // One key with the value in effect.  docs/CONFIGURATION.md is checked against these.
  struct Resolved {
    std::string path;      // The key with its sections: "broker.linger".
    std::string value;     // The value as text: "20ms".
    int line;              // The line of the file that gives the value; 0 for the default.
    std::string allowed;   // The allowed values: "a duration from 0s to 1m with a unit (...)".
    std::string fallback;  // The default as text; empty if the key is required.
  };
  // In the order in which the keys were first read.
  const std::vector<Resolved>& resolved() const;

 private:
  explicit Document(std::shared_ptr<DocumentState> state) : state_(std::move(state)) {}

  std::shared_ptr<DocumentState> state_;
};

template <class Value>
Value Section::choice(std::string_view key, std::initializer_list<Choice<Value>> choices,
                      std::optional<Value> fallback) {
  std::vector<std::string> names;
  std::optional<std::size_t> fallback_at;
  for (const Choice<Value>& choice : choices) {
    if (fallback && choice.value == *fallback) fallback_at = names.size();
    names.emplace_back(choice.name);
  }
  return (choices.begin() + choose(key, names, fallback_at))->value;
}

}  // namespace runtime
