#include "runtime/config/config_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace runtime {
namespace {

// Long enough to recognise a value, short enough for one line of output.
constexpr std::size_t kPrintableMax = 40;

std::string one_line(const std::string& file, Mark mark, std::string_view key,
                     const std::string& message) {
  std::string line =
      file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": ";
  if (!key.empty()) line.append(key).append(": ");
  return line + message;
}

}  // namespace

ConfigError::ConfigError(const std::string& file, Mark mark, std::string_view key,
                         const std::string& message)
    : std::runtime_error(one_line(file, mark, key, message)) {}

std::string printable(std::string_view text) {
  std::size_t length = std::min(text.size(), kPrintableMax);
  // Cut before a UTF-8 character, never inside one: the log is UTF-8 text.
  while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80) --length;
  std::string out;
  for (const char c : text.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", byte);
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return length < text.size() ? out + "..." : out;
}

std::string in_quotes(std::string_view text) {
  return std::string("'").append(printable(text)).append("'");
}

std::string read_config_file(const std::string& path, std::size_t bytes_max) {
  std::error_code ignored;
  // A directory opens without an error and only fails at the first read, with a worse message.
  if (std::filesystem::is_directory(path, ignored)) {
    throw ConfigError(path + ": cannot be read: it is a directory");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw ConfigError(path + ": cannot be read: " + std::strerror(errno));
  // Reading one byte more than is allowed detects a file that is too long without asking for its
  // size, which a pipe or a device does not have.
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) throw ConfigError(path + ": cannot be read: " + std::strerror(errno));
  if (text.size() > bytes_max) {
    throw ConfigError(path + ": is too long, expected at most " + std::to_string(bytes_max) +
                      " bytes");
  }
  return text;
}

}  // namespace runtime
