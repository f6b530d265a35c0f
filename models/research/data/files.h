// The files below a folder or within a tar archive, one after another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace models {

inline constexpr std::size_t kFileBytesMax = std::size_t{256} << 20;

// Calls visit(path, bytes) for every regular file, `path` relative to `source` with '/' between
// its parts: in order of path for a folder, as they stand for an archive (.tar, or compressed).
// Symbolic links are passed over.  Throws std::runtime_error with one line that names the source:
// missing, not a tar archive, damaged, cut short, a hard link in an archive, or a file of over
// kFileBytesMax.  What visit throws goes through.
void for_each_file(
    const std::filesystem::path& source,
    const std::function<void(const std::string& path, std::span<const std::uint8_t> bytes)>& visit);

}  // namespace models
