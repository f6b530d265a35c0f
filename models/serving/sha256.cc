#include "models/serving/sha256.h"

#include <array>
#include <fstream>
#include <stdexcept>

namespace models {

Sha256::Sha256() { crypto_hash_sha256_init(&state_); }

void Sha256::add(std::span<const std::uint8_t> bytes) {
  crypto_hash_sha256_update(&state_, bytes.data(), bytes.size());
}

void Sha256::add(const std::string& text) {
  std::array<std::uint8_t, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length[i] = static_cast<std::uint8_t>(text.size() >> (8 * i));
  }
  add(length);
  add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::string Sha256::hex() {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state_, digest.data());
  std::string hex;
  for (const unsigned byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::string sha256_of(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) {
    throw std::runtime_error(file.string() + ": is a folder, expected a file");
  }
  if (!std::filesystem::exists(file)) throw std::runtime_error(file.string() + ": no such file");
  std::ifstream in(file, std::ios::binary);
  Sha256 hash;
  std::array<char, 65536> block{};
  while (in.read(block.data(), block.size()), in.gcount() > 0) {
    hash.add(std::span(reinterpret_cast<const std::uint8_t*>(block.data()),
                       static_cast<std::size_t>(in.gcount())));
  }
  if (!in.eof()) throw std::runtime_error(file.string() + ": cannot be read");
  return hash.hex();
}

void require_sha256(const std::filesystem::path& file, const std::string& sha256) {
  const std::string hash = sha256_of(file);
  if (hash != sha256) {
    throw std::runtime_error(file.string() + ": sha256 is " + hash + ", the manifest requires " +
                             sha256);
  }
}

}  // namespace models
