#include "models/research/data/files.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <string>

#include "tests/models/research/data/scratch.h"

namespace models {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;

using Seen = std::vector<std::pair<std::string, Bytes>>;

Seen read_all(const fs::path& source) {
  Seen seen;
  for_each_file(source, [&](const std::string& path, std::span<const std::uint8_t> bytes) {
    seen.emplace_back(path, Bytes(bytes.begin(), bytes.end()));
  });
  return seen;
}

class Files : public Scratch {};

// Two files, whose archive without compression is 512-byte blocks: header, data, header, data,
// data and two of zeros.
const std::vector<Entry> kTwo = {{"b/two.txt", bytes_of("two")}, {"a.txt", Bytes(600, 'x')}};

TEST_F(Files, AFolderIsReadInOrderOfPath) {
  put("b/two.txt", bytes_of("2"));
  put("b/a/one.txt", bytes_of("1"));
  put("c.txt", {});
  put("a.txt", bytes_of("0"));
  EXPECT_THAT(read_all(folder_), ElementsAre(Pair("a.txt", bytes_of("0")),        //
                                             Pair("b/a/one.txt", bytes_of("1")),  //
                                             Pair("b/two.txt", bytes_of("2")),    //
                                             Pair("c.txt", Bytes{})));
}

TEST_F(Files, AFolderWithoutFilesHasNone) {
  fs::create_directories(folder_ / "empty" / "deeper");
  EXPECT_THAT(read_all(folder_ / "empty"), IsEmpty());
}

TEST_F(Files, OfSymbolicLinksInAFolderThoseToFilesAreFollowedAndTheOthersSaid) {
  put("real/a.txt", bytes_of("0"));
  fs::create_symlink("real/a.txt", folder_ / "file");
  fs::create_symlink("real", folder_ / "folder");
  fs::create_symlink("nowhere", folder_ / "dangling");
  fs::create_symlink("circle", folder_ / "circle");
  EXPECT_THAT(read_all(folder_),
              ElementsAre(Pair("file", bytes_of("0")), Pair("real/a.txt", bytes_of("0"))));
  EXPECT_THAT(for_each_file(folder_, [](const auto&, auto) {}).links,
              ElementsAre("circle: is a link to nothing", "dangling: is a link to nothing",
                          "folder: is a link to a folder"));
}

TEST_F(Files, ASourceThatIsMissingIsNamed) {
  const fs::path nowhere = folder_ / "nowhere";
  EXPECT_THAT([&] { read_all(nowhere); }, fails_with(nowhere, "no such folder or archive"));
}

TEST_F(Files, AnArchiveIsReadAsItStandsWhateverItsCompression) {
  for (const char* name : {"two.tar", "two.tar.gz"}) {
    EXPECT_THAT(read_all(put_archive(name, kTwo)),
                ElementsAre(Pair("b/two.txt", bytes_of("two")), Pair("a.txt", Bytes(600, 'x'))));
  }
}

TEST_F(Files, AnArchiveOfNothingHasNoFiles) {
  EXPECT_THAT(read_all(put_archive("none.tar", {})), IsEmpty());
}

TEST_F(Files, PathsInAnArchiveOfTheWorkingFolderAreAsInAFolder) {
  EXPECT_THAT(read_all(put_archive("dot.tar", {{"./a.txt", {}}, {"./b/c.txt", {}}})),
              ElementsAre(Pair("a.txt", Bytes{}), Pair("b/c.txt", Bytes{})));
}

TEST_F(Files, SymbolicLinksInAnArchiveArePassedOver) {
  const auto file = put_archive(
      "links.tar",
      {{"a.txt", bytes_of("0")}, {"b.txt", bytes_of("a.txt"), Entry::Kind::symbolic_link}});
  EXPECT_THAT(read_all(file), ElementsAre(Pair("a.txt", bytes_of("0"))));
  EXPECT_THAT(for_each_file(file, [](const auto&, auto) {}).links, ElementsAre("b.txt: is a link"));
}

// It is a file in a folder, so to pass over it as over a symbolic link would lose a picture unseen.
TEST_F(Files, AHardLinkInAnArchiveIsAFileThatIsLeftOut) {
  const auto file =
      put_archive("links.tar",
                  {{"a.txt", bytes_of("0")}, {"b.txt", bytes_of("a.txt"), Entry::Kind::hard_link}});
  EXPECT_THAT(read_all(file), ElementsAre(Pair("a.txt", bytes_of("0"))));
  const LeftOut left_out = for_each_file(file, [](const auto&, auto) {});
  EXPECT_THAT(left_out.files, ElementsAre("b.txt: is a hard link"));
  EXPECT_THAT(left_out.links, IsEmpty());
}

TEST_F(Files, AnArchiveCutAtAnyBlockIsRefused) {
  const auto file = put_archive("two.tar", kTwo);
  const auto whole = fs::file_size(file);
  ASSERT_EQ(whole, 7u * 512);
  for (std::uintmax_t blocks = 0; blocks < 6; ++blocks) {  // The sixth is the first of zeros.
    fs::resize_file(file, blocks * 512);
    EXPECT_THAT([&] { read_all(file); }, fails_with(file, "cut short")) << blocks;
    fs::resize_file(file, blocks * 512 + 100);
    EXPECT_THAT([&] { read_all(file); }, fails_with(file, "cut short")) << blocks << " and a bit";
    put_archive("two.tar", kTwo);
  }
}

TEST_F(Files, ACompressedArchiveCutAnywhereIsRefused) {
  Bytes random(20'000);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : random) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  const std::vector<Entry> entries = {{"a", random}, {"b", random}};
  for (const double share : {0.001, 0.1, 0.4, 0.49, 0.51, 0.9, 0.99}) {
    const auto file = put_archive("cut.tar.gz", entries);
    fs::resize_file(file,
                    static_cast<std::uintmax_t>(share * static_cast<double>(fs::file_size(file))));
    EXPECT_THAT([&] { read_all(file); }, fails_with(file, "cut short")) << share;
  }
}

TEST_F(Files, AnotherFileIsNotTakenForAnArchive) {
  for (const Bytes& bytes : {Bytes{}, bytes_of("<html>"), Bytes(5000, 'x'), png(8, 8, {9})}) {
    const auto file = put("page.tar.gz", bytes);
    EXPECT_THAT([&] { read_all(file); }, fails_with(file, "is no tar archive"));
  }
}

TEST_F(Files, AFileThatIsTooLargeIsLeftOutUnreadAndTheOthersAreRead) {
  fs::resize_file(put("set/large.bin", {}), kFileBytesMax + 1);  // Sparse.
  put("set/small.bin", bytes_of("0"));
  Seen seen;
  const LeftOut left_out =
      for_each_file(folder_ / "set", [&](const std::string& path, std::span<const std::uint8_t> b) {
        seen.emplace_back(path, Bytes(b.begin(), b.end()));
      });
  EXPECT_THAT(seen, ElementsAre(Pair("small.bin", bytes_of("0"))));
  EXPECT_THAT(left_out.files, ElementsAre("large.bin: is too large"));
}

TEST_F(Files, AShortArchiveThatClaimsALongFileTakesLittleMemory) {
  Bytes header(512);
  const auto field = [&](std::size_t at, const std::string& text) {
    std::ranges::copy(text, header.begin() + static_cast<std::ptrdiff_t>(at));
  };
  field(0, "long.bin");
  field(100, "0000644");
  field(124, "01777777777");  // 256 MiB less a byte.
  field(148, "        ");
  field(156, "0");
  field(257, "ustar");
  std::array<char, 8> sum{};
  std::snprintf(sum.data(), sum.size(), "%06o", std::accumulate(header.begin(), header.end(), 0u));
  field(148, sum.data());
  header.resize(1024, 'x');
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  const auto file = put("long.tar", header);
  EXPECT_THAT([&] { read_all(file); }, fails_with(file, "cut short"));
  EXPECT_LT(peak_kib() - before, 100 * 1024);
}

TEST_F(Files, WhatVisitThrowsGoesThrough) {
  put("set/a.txt", {});
  for (const fs::path& source : {folder_ / "set", put_archive("two.tar", kTwo)}) {
    const auto read = [&] {
      for_each_file(source, [](const std::string&, std::span<const std::uint8_t>) {
        throw std::logic_error("enough");
      });
    };
    EXPECT_THAT(read, ThrowsMessage<std::logic_error>("enough"));
  }
}

}  // namespace
}  // namespace models
