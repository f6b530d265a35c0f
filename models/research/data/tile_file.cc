#include "models/research/data/tile_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "wire/check.h"

namespace models {
namespace {

[[noreturn]] void fail(const std::filesystem::path& folder, const char* what, int error) {
  throw std::runtime_error(folder.string() + ": " + what + " (" +
                           std::generic_category().message(error) + ")");
}

// O_TMPFILE would do it in one step, but not every file system knows it.
int open_nameless(const std::filesystem::path& given) {
  const std::filesystem::path folder = given.empty() ? "." : given;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, "cannot be made", error.value());
  std::string name = (folder / "tiles-XXXXXX").string();
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) fail(folder, "no file can be made in it", errno);
  unlink(name.c_str());
  return file;
}

}  // namespace

TileFile::TileFile(const std::filesystem::path& folder, std::size_t tile_bytes)
    : folder_(folder), tile_bytes_(tile_bytes), file_(open_nameless(folder)) {}

TileFile::~TileFile() {
  if (file_ >= 0) close(file_);
}

TileFile::TileFile(TileFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      tile_bytes_(other.tile_bytes_),
      size_(other.size_),
      file_(std::exchange(other.file_, -1)) {}

void TileFile::append(std::span<const std::uint8_t> tile) {
  COLLAGE_CHECK(tile.size() == tile_bytes_);
  const auto at = static_cast<off_t>(size_ * tile_bytes_);
  for (std::size_t done = 0; done < tile.size();) {
    const ssize_t wrote =
        pwrite(file_, tile.data() + done, tile.size() - done, at + static_cast<off_t>(done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) fail(folder_, "a picture cannot be written there", wrote < 0 ? errno : ENOSPC);
    done += static_cast<std::size_t>(wrote);
  }
  ++size_;
}

void TileFile::read(std::size_t i, std::span<std::uint8_t> out) const {
  COLLAGE_CHECK(i < size_ && out.size() == tile_bytes_);
  const auto at = static_cast<off_t>(i * tile_bytes_);
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t got =
        pread(file_, out.data() + done, out.size() - done, at + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(folder_, "a picture cannot be read back", got < 0 ? errno : EIO);
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace models
