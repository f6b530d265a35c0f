// The files below a folder or within a tar archive, one after another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace models {

inline constexpr std::size_t kFileBytesMax = std::size_t{256} << 20;

// Calls visit(path, bytes) for every regular file, `path` relative to `source` with '/' between
// its parts: in order of path for a folder, as they stand for an archive (.tar, or compressed).  A
// symbolic link to a file counts as that file.  Returns what was passed over, such as "cats: is a
// link to a folder": links to folders, which may lead round in a circle, links to nothing, and
// links in an archive.  Throws std::runtime_error with one line that names the source:
// missing, not a tar archive, damaged, cut short, a hard link in an archive, or a file of over
// kFileBytesMax.  What visit throws goes through.
std::vector<std::string> for_each_file(
    const std::filesystem::path& source,
    const std::function<void(const std::string& path, std::span<const std::uint8_t> bytes)>& visit);

}  // namespace models
