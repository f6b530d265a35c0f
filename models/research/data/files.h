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

// What was not visited, each with the reason: "cats: is a link to a folder".
struct LeftOut {
  // Links to folders, which may lead round in a circle, links to nothing, and links in an archive.
  std::vector<std::string> links;
  // Files of over kFileBytesMax or that cannot be read, and hard links in an archive, which are
  // files in a folder.
  std::vector<std::string> files;
};

// Calls visit(path, bytes) for every regular file, `path` relative to `source` with '/' between
// its parts: in order of path for a folder, as they stand for an archive (.tar, or compressed).  A
// symbolic link to a file counts as that file.  Throws std::runtime_error with one line that names
// the source: missing, not a tar archive, damaged or cut short.  What visit throws goes through.
LeftOut for_each_file(
    const std::filesystem::path& source,
    const std::function<void(const std::string& path, std::span<const std::uint8_t> bytes)>& visit);

}  // namespace models
