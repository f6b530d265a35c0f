// SHA-256 of files and of bytes, as 64 lower-case hexadecimal digits.
#pragma once

#include <sodium/crypto_hash_sha256.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace models {

// The hash of what is added, in that order.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const std::uint8_t> bytes);
  // Adds the length first, so that "ab", "c" and "a", "bc" differ.
  void add(const std::string& text);
  // Ends the hash: nothing may be added afterwards.
  std::string hex();

 private:
  crypto_hash_sha256_state state_;
};

// Throws std::runtime_error naming the file if it cannot be read.
std::string sha256_of(const std::filesystem::path& file);

// Throws std::runtime_error naming the file if it cannot be read or has another hash.
void require_sha256(const std::filesystem::path& file, const std::string& sha256);

}  // namespace models
