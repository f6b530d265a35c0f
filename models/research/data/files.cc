#include "models/research/data/files.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

namespace models {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = std::size_t{1} << 24;

using Visit = std::function<void(const std::string&, std::span<const std::uint8_t>)>;

[[noreturn]] void fail(const fs::path& source, const std::string& what) {
  throw std::runtime_error(source.string() + ": " + what);
}

// Fills `bytes` with a file; returns what stands in the way, nullptr if nothing does.
const char* read_whole(const fs::path& file, std::vector<std::uint8_t>& bytes) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return "cannot be opened";
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) return "cannot be read";
  if (size > kFileBytesMax) return "is too large";
  bytes.resize(static_cast<std::size_t>(size));
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (in.gcount() != static_cast<std::streamsize>(bytes.size())) return "cannot be read";
  return nullptr;
}

LeftOut walk_folder(const fs::path& folder, const Visit& visit) {
  std::vector<fs::path> files;
  LeftOut left_out;
  const auto name = [&](const fs::path& path) {
    return path.lexically_relative(folder).generic_string();
  };
  std::error_code error;
  fs::recursive_directory_iterator all(folder, error);
  if (error) fail(folder, "cannot be opened");
  for (; all != fs::end(all); all.increment(error)) {
    const fs::directory_entry& entry = *all;
    std::error_code none;
    if (fs::is_regular_file(entry.path(), none)) {
      files.push_back(entry.path());
    } else if (entry.is_symlink(none)) {
      const char* what = fs::is_directory(entry.path(), none) ? ": is a link to a folder"
                         : fs::exists(entry.path(), none)     ? ": is a link to no file"
                                                              : ": is a link to nothing";
      left_out.links.push_back(name(entry.path()) + what);
    } else if (fs::is_directory(entry.path(), none)) {
      fs::directory_iterator may_be_opened(entry.path(), error);
      if (!error) continue;
      left_out.files.push_back(name(entry.path()) + ": is a folder that cannot be opened");
      all.disable_recursion_pending();
    }
  }
  std::ranges::sort(files);
  std::ranges::sort(left_out.links);
  std::vector<std::uint8_t> bytes;
  for (const fs::path& file : files) {
    if (const char* why = read_whole(file, bytes)) {
      left_out.files.push_back(name(file) + ": " + why);
    } else {
      visit(name(file), bytes);
    }
  }
  return left_out;
}

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

[[noreturn]] void refuse(const Reader& reader, const fs::path& file) {
  const char* why = archive_error_string(reader.get());
  fail(file, "is no tar archive, damaged or cut short (" + std::string(why ? why : "") + ")");
}

// The next entry; nullptr after the last.
archive_entry* next_entry(const Reader& reader, const fs::path& file) {
  archive_entry* entry = nullptr;
  const int got = archive_read_next_header(reader.get(), &entry);
  if (got == ARCHIVE_OK) return entry;
  if (got != ARCHIVE_EOF) refuse(reader, file);
  // libarchive also takes the end of the file for the end of the archive, but an archive has a
  // mark there, and reading it moves on from where the header of a next entry would stand.
  if (archive_filter_bytes(reader.get(), 0) == archive_read_header_position(reader.get())) {
    fail(file, "is cut short (it has no end mark)");
  }
  return nullptr;
}

LeftOut walk_archive(const fs::path& file, const Visit& visit) {
  const Reader reader(archive_read_new(), &archive_read_free);
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  constexpr std::size_t kBlockBytes = 1 << 16;
  if (archive_read_open_filename(reader.get(), file.c_str(), kBlockBytes) != ARCHIVE_OK) {
    refuse(reader, file);
  }
  LeftOut left_out;
  std::vector<std::uint8_t> bytes;
  while (archive_entry* entry = next_entry(reader, file)) {
    // Its parts are the same with and without a "./" before them.
    const std::string path =
        fs::path(archive_entry_pathname(entry)).lexically_normal().generic_string();
    if (archive_entry_hardlink(entry) != nullptr) {
      left_out.files.push_back(path + ": is a hard link");
      continue;
    }
    if (archive_entry_filetype(entry) == AE_IFLNK) left_out.links.push_back(path + ": is a link");
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const auto size = static_cast<std::size_t>(archive_entry_size(entry));
    if (size > kFileBytesMax) {
      left_out.files.push_back(path + ": is too large");
      continue;
    }
    // Piece by piece: a short archive that claims a long file takes little memory.
    bytes.clear();
    for (std::size_t done = 0; done < size; done = bytes.size()) {
      bytes.resize(std::min(size, done + kPieceBytes));
      const std::size_t piece = bytes.size() - done;
      const la_ssize_t got = archive_read_data(reader.get(), bytes.data() + done, piece);
      if (got != static_cast<la_ssize_t>(piece)) refuse(reader, file);
    }
    visit(path, bytes);
  }
  return left_out;
}

}  // namespace

LeftOut for_each_file(const fs::path& source, const Visit& visit) {
  if (fs::is_directory(source)) return walk_folder(source, visit);
  if (!fs::is_regular_file(source)) fail(source, "no such folder or archive");
  return walk_archive(source, visit);
}

}  // namespace models
