// What keeps a process from starting: one line that names the file, the place and the key.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace runtime {

// A place in a file, counted from 1.
struct Mark {
  int line = 1;
  int column = 1;

  friend bool operator==(const Mark&, const Mark&) = default;
};

// what() is one line for a user, without a line end; main prints it and exits with 2.
class ConfigError : public std::runtime_error {
 public:
  // `line` as it stands, for what has no place in a file.
  explicit ConfigError(const std::string& line) : std::runtime_error(line) {}

  // "FILE:LINE:COLUMN: KEY: MESSAGE", without "KEY: " if the key is empty.
  ConfigError(const std::string& file, Mark mark, std::string_view key, const std::string& message);
};

// The words of a file or a user made fit for one line: control characters escaped, cut after 40
// bytes.
std::string printable(std::string_view words);

// The same in quotes.
std::string in_quotes(std::string_view words);

// The whole file.  Throws ConfigError if it cannot be read or is longer than `bytes_max`.
std::string read_config_file(const std::string& path, std::size_t bytes_max);

}  // namespace runtime
