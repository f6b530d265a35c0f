// FNV-1a with 64 bits: a hash that is the same on every host.  It detects mistakes, not attacks.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wire {

class Fnv {
 public:
  void add(std::span<const std::uint8_t> bytes) {
    for (const std::uint8_t byte : bytes) hash_ = (hash_ ^ byte) * 0x100000001b3u;
  }
  void add(std::string_view text) {
    add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  void add(std::uint8_t byte) { add({&byte, 1}); }

  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace wire
