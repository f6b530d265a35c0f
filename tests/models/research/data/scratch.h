// A folder of a test's own with files, pictures and archives made on the spot.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "imaging/encode.h"

namespace models {

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

// A PNG of one colour.
inline Bytes png(int width, int height, const Bytes& colour) {
  imaging::Picture picture{width, height, static_cast<int>(colour.size()), {}};
  picture.pixels.resize(static_cast<std::size_t>(width * height) * colour.size());
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = colour[i % colour.size()];
  }
  return imaging::encode_png(picture);
}

struct Entry {
  std::string path;
  Bytes bytes;
  enum class Kind : std::uint8_t { file, symbolic_link, hard_link } kind = Kind::file;
};

// Requires an imaging::Library for png().
class Scratch : public ::testing::Test {
 protected:
  Scratch()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("collage_" +
                 std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
                 "_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Scratch() override { std::filesystem::remove_all(folder_); }

  // Writes a file at `path` below the folder; returns where it is.
  std::filesystem::path put(const std::filesystem::path& path, const Bytes& bytes) const {
    const std::filesystem::path file = folder_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file;
  }

  // Writes a tar archive, compressed if `path` ends so.  A link's bytes are where it leads.
  std::filesystem::path put_archive(const std::string& path,
                                    const std::vector<Entry>& entries) const {
    const std::filesystem::path file = folder_ / path;
    std::filesystem::create_directories(file.parent_path());
    const std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(),
                                                             &archive_write_free);
    archive_write_set_format_ustar(writer.get());
    if (path.ends_with(".gz")) archive_write_add_filter_gzip(writer.get());
    archive_write_set_bytes_per_block(writer.get(), 512);
    EXPECT_EQ(archive_write_open_filename(writer.get(), file.c_str()), ARCHIVE_OK);
    for (const Entry& entry : entries) write(writer.get(), entry);
    EXPECT_EQ(archive_write_close(writer.get()), ARCHIVE_OK);
    return file;
  }

  // The one line that is thrown about `source`.
  static auto fails_with(const std::filesystem::path& source, const std::string& what) {
    using namespace ::testing;
    return ThrowsMessage<std::runtime_error>(
        AllOf(StartsWith(source.string() + ": "), HasSubstr(what), Not(HasSubstr("\n"))));
  }

  const std::filesystem::path folder_;

 private:
  static void write(archive* writer, const Entry& entry) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> header(archive_entry_new(),
                                                                          &archive_entry_free);
    const std::string text(entry.bytes.begin(), entry.bytes.end());
    archive_entry_set_pathname(header.get(), entry.path.c_str());
    archive_entry_set_filetype(header.get(), AE_IFREG);
    archive_entry_set_perm(header.get(), 0644);
    archive_entry_set_size(header.get(), 0);
    if (entry.kind == Entry::Kind::symbolic_link) {
      archive_entry_set_filetype(header.get(), AE_IFLNK);
      archive_entry_set_symlink(header.get(), text.c_str());
    } else if (entry.kind == Entry::Kind::hard_link) {
      archive_entry_set_hardlink(header.get(), text.c_str());
    } else {
      archive_entry_set_size(header.get(), static_cast<la_int64_t>(text.size()));
    }
    EXPECT_EQ(archive_write_header(writer, header.get()), ARCHIVE_OK);
    if (entry.kind == Entry::Kind::file) archive_write_data(writer, text.data(), text.size());
  }
};

}  // namespace models
