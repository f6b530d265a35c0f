// ConfigError: why a process cannot start, as one line that names the file, the position in it and
// the key.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace runtime {

// A position in a file; lines and columns count from 1.
struct Mark {
  int line = 1;
  int column = 1;

  friend bool operator==(const Mark&, const Mark&) = default;
};

// what() is one line for the user, without a newline.  main prints it and exits with code 2.
class ConfigError : public std::runtime_error {
 public:
  // Takes the whole line, for an error that has no position in a file.
  explicit ConfigError(const std::string& line) : std::runtime_error(line) {}

  // "FILE:LINE:COLUMN: KEY: MESSAGE", without "KEY: " if the key is empty.
  ConfigError(const std::string& file, Mark mark, std::string_view key, const std::string& message);
};

// Makes text from a file or a user fit for one line of output: control characters are escaped, and
// the text is cut after 40 bytes.
std::string printable(std::string_view text);

// Returns printable(text) in single quotes.
std::string in_quotes(std::string_view text);

// Returns the whole file.  Throws ConfigError if it cannot be read or is longer than `bytes_max`.
std::string read_config_file(const std::string& path, std::size_t bytes_max);

}  // namespace runtime
