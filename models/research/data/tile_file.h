// Tiles on disk, for pictures that would take too much memory: written one after another, read in
// any order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace models {

class TileFile {
 public:
  // An empty file in `folder`, which is made if it is missing (empty: the working folder); every
  // tile has `tile_bytes` bytes. The file has no name, so it vanishes with this object, even if the
  // process is killed.  Throws std::runtime_error naming the folder.
  TileFile(const std::filesystem::path& folder, std::size_t tile_bytes);
  ~TileFile();
  TileFile(TileFile&& other) noexcept;
  TileFile& operator=(TileFile&&) = delete;

  // Requires tile_bytes bytes.  Throws std::runtime_error naming the folder, as if its disk is
  // full.
  void append(std::span<const std::uint8_t> tile);
  // Copies tile `i` to `out`.  Requires i < size() and tile_bytes bytes.  Throws likewise.
  void read(std::size_t i, std::span<std::uint8_t> out) const;
  std::size_t size() const { return size_; }

 private:
  std::filesystem::path folder_;
  std::size_t tile_bytes_;
  std::size_t size_ = 0;
  int file_ = -1;
};

}  // namespace models
