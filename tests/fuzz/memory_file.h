// An input as a file, for readers that take a path.  It lives in memory alone.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "wire/check.h"

namespace fuzz {

class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes)
      : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
    COLLAGE_CHECK(descriptor_ >= 0 && fchmod(descriptor_, S_IRUSR) == 0);
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t wrote = ::write(descriptor_, bytes.data() + at, bytes.size() - at);
      COLLAGE_CHECK(wrote > 0);
      at += static_cast<std::size_t>(wrote);
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Valid while this object lives.
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  const int descriptor_;
};

}  // namespace fuzz
