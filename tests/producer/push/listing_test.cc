#include "producer/push/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>

namespace producer {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using Kind = Item::Kind;

class ListingTest : public testing::Test {
 protected:
  ListingTest() {
    std::string name = (fs::temp_directory_path() / "collage-listing-XXXXXX").string();
    root = mkdtemp(name.data());
  }
  ~ListingTest() override { fs::remove_all(root); }

  std::string write(const std::string& name, const std::string& text = "x") {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
    return (root / name).string();
  }
  // Returns the names below root: '?' before one that cannot be read, '+' before one too large.
  std::vector<std::string> all(std::vector<std::string> paths, int list = -1,
                               std::uint64_t bytes_max = 1000) {
    Listing listing(std::move(paths), list);
    std::vector<std::string> names;
    for (Item item = listing.next(bytes_max); item.kind != Kind::end;
         item = listing.next(bytes_max)) {
      const std::string mark = item.kind == Kind::unreadable  ? "?"
                               : item.kind == Kind::too_large ? "+"
                                                              : "";
      names.push_back(mark + fs::path(item.file).lexically_relative(root).string());
    }
    return names;
  }

  fs::path root;
};

// A pipe; hang_up closes its writing end.
struct Pipe {
  Pipe() { EXPECT_EQ(pipe(ends.data()), 0); }
  ~Pipe() {
    close(ends[0]);
    hang_up();
  }
  void write_text(const std::string& text) {
    EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void hang_up() {
    if (ends[1] >= 0) close(ends[1]);
    ends[1] = -1;
  }
  std::array<int, 2> ends{};
};

TEST_F(ListingTest, ADirectoryIsWalkedInOrderOfName) {
  write("b/2.png");
  write("b/10.png");
  write("a.png");
  write("c.png");
  EXPECT_THAT(all({root.string()}), ElementsAre("a.png", "b/10.png", "b/2.png", "c.png"));
  EXPECT_EQ(count_files({root.string()}), 4u);
}

TEST_F(ListingTest, ArgumentsKeepTheirOrder) {
  const std::string b = write("b");
  const std::string a = write("a");
  EXPECT_THAT(all({b, a, b}), ElementsAre("b", "a", "b"));
  EXPECT_EQ(count_files({b, a, b}), 3u);
}

TEST_F(ListingTest, HiddenFilesAndLinksToDirectoriesAreLeftOut) {
  write("d/1");
  write("d/.hidden");
  fs::create_directory_symlink(root / "d", root / "d" / "loop");
  EXPECT_THAT(all({root.string()}), ElementsAre("d/1"));
  EXPECT_EQ(count_files({root.string()}), 1u);
}

TEST_F(ListingTest, WhatCannotBeReadIsAnItemWithItsReason) {
  const std::string good = write("good");
  EXPECT_THAT(all({(root / "none").string(), good}), ElementsAre("?none", "good"));
  Listing listing({(root / "none").string()}, -1);
  EXPECT_EQ(listing.next(10).error, "No such file or directory");
}

TEST_F(ListingTest, SomethingThatIsNoFileIsNotOpened) {
  EXPECT_EQ(read_image("/dev/zero", 10).error, "not a regular file");
}

TEST_F(ListingTest, AFileAboveTheLimitIsNotRead) {
  const std::string big = write("big", "0123456789");
  EXPECT_EQ(read_image(big, 9).kind, Kind::too_large);
  const Item item = read_image(big, 10);
  EXPECT_EQ(item.kind, Kind::image);
  EXPECT_EQ(item.image.size(), 10u);
  EXPECT_EQ(item.image.bytes()[9], '9');
}

TEST_F(ListingTest, AnEmptyFileIsAnImageForTheBrokerToReject) {
  EXPECT_EQ(read_image(write("empty", ""), 10).kind, Kind::image);
}

TEST_F(ListingTest, AListNamesFilesAndDirectories) {
  Pipe list;
  list.write_text(write("z") + "\n\n" + (root / "d").string() + "\n" + (root / "none").string());
  write("d/1");
  write("d/2");
  list.hang_up();
  EXPECT_THAT(all({"-", write("last")}, list.ends[0]),
              ElementsAre("z", "d/1", "d/2", "?none", "last"));
}

TEST_F(ListingTest, AListThatPausesDoesNotBlock) {
  Pipe list;
  Listing listing({"-"}, list.ends[0]);
  EXPECT_EQ(listing.next(10).kind, Kind::later);
  const std::string path = write("a");
  list.write_text(path.substr(0, 3));
  EXPECT_EQ(listing.next(10).kind, Kind::later);
  list.write_text(path.substr(3) + "\n");
  EXPECT_EQ(listing.next(10).kind, Kind::image);
  EXPECT_EQ(listing.next(10).kind, Kind::later);
  list.hang_up();
  EXPECT_EQ(listing.next(10).kind, Kind::end);
}

TEST_F(ListingTest, AListWithoutLineEndsStaysBounded) {
  Pipe list;
  Lines lines(list.ends[0]);
  std::string line;
  for (std::size_t i = 0; i < Lines::kLineMax / 4096; ++i) {
    EXPECT_EQ(lines.next(line), Lines::Next::later);
    list.write_text(std::string(4096, 'x'));
  }
  EXPECT_EQ(lines.next(line), Lines::Next::line);
  EXPECT_EQ(line.size(), Lines::kLineMax);
}

}  // namespace
}  // namespace producer
