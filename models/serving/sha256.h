// The SHA-256 hash of a file.
#pragma once

#include <filesystem>
#include <string>

namespace models {

// 64 lower-case hex digits.  Throws std::runtime_error if the file cannot be read.
std::string sha256_of(const std::filesystem::path& file);

}  // namespace models
