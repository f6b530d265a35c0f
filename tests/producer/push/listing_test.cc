#include "producer/push/listing.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/producer/push/pipe.h"

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
  // Paths as inputs; "-" is the list.
  static std::vector<Input> inputs(const std::vector<std::string>& paths, int list = -1) {
    std::vector<Input> inputs;
    for (const std::string& path : paths) inputs.push_back({path, path == "-" ? list : -1});
    return inputs;
  }
  // Returns the names below root: '?' before one that cannot be read, '+' before one too large.
  std::vector<std::string> all(const std::vector<std::string>& paths, int list = -1,
                               std::uint64_t bytes_max = 1000) {
    Listing listing(inputs(paths, list));
    std::vector<std::string> names;
    for (Item item = listing.next(bytes_max); item.kind != Kind::end;
         item = listing.next(bytes_max)) {
      const std::string mark = item.kind == Kind::unreadable  ? "?"
                               : item.kind == Kind::too_large ? "+"
                                                              : "";
      const bool below = item.file.starts_with(root.string() + "/");
      names.push_back(mark +
                      (below ? fs::path(item.file).lexically_relative(root).string() : item.file));
      error = item.error;
      if (names.size() > 100) return {"it does not end"};
    }
    return names;
  }
  // The same for a list with this text.
  std::vector<std::string> listed(const std::string& text) {
    Pipe list;
    list.write_text(text);
    list.hang_up();
    return all({"-"}, list.ends[0]);
  }
  std::string at(const std::string& name) const { return (root / name).string(); }

  fs::path root;
  std::string error;  // The last item's.
};

TEST_F(ListingTest, ADirectoryIsWalkedInOrderOfName) {
  write("b/2.png");
  write("b/10.png");
  write("a.png");
  write("c.png");
  EXPECT_THAT(all({root.string()}), ElementsAre("a.png", "b/10.png", "b/2.png", "c.png"));
  EXPECT_EQ(count_files(inputs({root.string()})), 4u);
}

TEST_F(ListingTest, ArgumentsKeepTheirOrder) {
  const std::string b = write("b");
  const std::string a = write("a");
  EXPECT_THAT(all({b, a, b}), ElementsAre("b", "a", "b"));
  EXPECT_EQ(count_files(inputs({b, a, b})), 3u);
}

TEST_F(ListingTest, HiddenFilesAreLeftOut) {
  write("d/1");
  write("d/.hidden");
  EXPECT_THAT(all({root.string()}), ElementsAre("d/1"));
  EXPECT_EQ(count_files(inputs({root.string()})), 1u);
}

TEST_F(ListingTest, LinksThatLeadNowhereOrToADirectoryAreSaid) {
  write("d/1");
  fs::create_directory_symlink(root / "d", root / "d" / "loop");
  EXPECT_THAT(all({root.string()}), ElementsAre("d/1", "?d/loop"));
  EXPECT_EQ(error, "a link to a folder is not followed");
  fs::create_symlink("/nowhere/at/all", root / "d" / "z");
  EXPECT_THAT(all({at("d")}), ElementsAre("d/1", "?d/loop", "?d/z"));
  EXPECT_EQ(error, "a link to a file that does not exist");
  EXPECT_EQ(count_files(inputs({root.string()})), 3u);
  fs::create_symlink("z2", root / "d" / "z2");
  EXPECT_THAT(all({at("d/z2")}), ElementsAre("?d/z2"));
  EXPECT_EQ(error, "Too many levels of symbolic links");
}

TEST_F(ListingTest, ALinkThatTheUserNamesIsFollowed) {
  write("d/1");
  fs::create_directory_symlink(root / "d", root / "link");
  EXPECT_THAT(all({at("link")}), ElementsAre("link/1"));
}

TEST_F(ListingTest, ADirectoryWithoutFilesIsSaidIfTheUserNamesIt) {
  fs::create_directories(root / "empty" / "inner");
  write("hidden/.1");
  EXPECT_THAT(all({at("empty")}), ElementsAre("?empty"));
  EXPECT_EQ(error, "there are no files in this folder");
  EXPECT_THAT(all({at("hidden")}), ElementsAre("?hidden"));
  EXPECT_EQ(count_files(inputs({at("empty")})), 1u);
  const std::string full = write("full/1");
  EXPECT_THAT(all({root.string()}), ElementsAre("full/1"));
  EXPECT_THAT(all({full, at("empty"), full}), ElementsAre("full/1", "?empty", "full/1"));
}

TEST_F(ListingTest, APipeInADirectoryIsSaidAndNotOpened) {
  write("d/1");
  ASSERT_EQ(mkfifo(at("d/fifo").c_str(), 0600), 0);
  EXPECT_THAT(all({at("d")}), ElementsAre("d/1", "?d/fifo"));
  EXPECT_EQ(error, "not a regular file");
}

TEST_F(ListingTest, WhatCannotBeReadIsAnItemWithItsReason) {
  const std::string good = write("good");
  EXPECT_THAT(all({at("none"), good}), ElementsAre("?none", "good"));
  EXPECT_THAT(all({at("none")}), ElementsAre("?none"));
  EXPECT_EQ(error, "No such file or directory");
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

TEST_F(ListingTest, AListOfFindBringsEachFileOnce) {
  write("d/1");
  write("d/sub/2");
  const std::string one = at("d"), two = at("d/1"), three = at("d/sub"), four = at("d/sub/2");
  const std::string null(1, '\0');
  EXPECT_THAT(listed(one + "\n" + two + "\n" + three + "\n" + four + "\n"),
              ElementsAre("d/1", "d/sub/2"));
  EXPECT_THAT(listed(one + null + two + null + three + null + four + null),
              ElementsAre("d/1", "d/sub/2"));
}

TEST_F(ListingTest, WhatADirectoryOfTheListHasNotBroughtIsKept) {
  write("d/1");
  write("d/.hidden");
  write("other/3");
  fs::create_directory_symlink(root / "other", root / "d" / "link");
  EXPECT_THAT(listed(at("d") + "\n" + at("d/.hidden") + "\n" + at("d/link/3") + "\n" +
                     at("d/none") + "\n" + at("dd") + "\n"),
              ElementsAre("d/1", "?d/link", "d/.hidden", "d/link/3", "?d/none", "?dd"));
}

TEST_F(ListingTest, AFileThatIsMadeAfterItsDirectoryWasReadIsKept) {
  write("d/1");
  Pipe list;
  Listing listing(inputs({"-"}, list.ends[0]));
  list.write_text(at("d") + "\n");
  EXPECT_EQ(listing.next(10).file, at("d/1"));
  EXPECT_EQ(listing.next(10).kind, Kind::later);
  const std::string made = write("d/2"), below = write("d/sub/3");
  list.write_text(at("d/1") + "\n" + made + "\n" + at("d/sub") + "\n" + below + "\n");
  list.hang_up();
  EXPECT_EQ(listing.next(10).file, made);
  EXPECT_EQ(listing.next(10).file, below);
  EXPECT_EQ(listing.next(10).kind, Kind::end);
}

TEST_F(ListingTest, AFileOfADirectoryThatCouldNotBeReadIsKept) {
  write("d/1");
  const std::string below = write("d/sub/2");
  Pipe list;
  Listing listing(inputs({"-"}, list.ends[0]));
  list.write_text(at("d") + "\n" + at("d/sub") + "\n" + below + "\n");
  list.hang_up();
  EXPECT_EQ(listing.next(10).file, at("d/1"));
  fs::remove_all(at("d/sub"));
  EXPECT_EQ(listing.next(10).error, "No such file or directory");
  write("d/sub/2");
  EXPECT_EQ(listing.next(10).file, below);
  EXPECT_EQ(listing.next(10).kind, Kind::end);
}

TEST_F(ListingTest, WhatADirectoryHasBroughtIsLeftOutOnce) {
  write("d/1");
  const std::string again = at("d/1") + "\n";
  EXPECT_THAT(listed(at("d") + "\n" + again + again), ElementsAre("d/1", "d/1"));
}

TEST_F(ListingTest, APathIsKnownInAnySpelling) {
  write("d/1");
  write("d/sub/2");
  EXPECT_THAT(
      listed(at("d") + "//\n" + at("d") + "/./1\n" + at("d/sub") + "/\n" + at("d//sub//2") + "\n"),
      ElementsAre("d/1", "d/sub/2"));
}

TEST_F(ListingTest, LinesMayEndWithCrLf) {
  const std::string path = write("a.png");
  EXPECT_THAT(listed(path + "\r\n" + path + "\r\n"), ElementsAre("a.png", "a.png"));
  const std::string odd = write("cr\r");
  EXPECT_THAT(listed(odd + "\n"), ElementsAre("cr\r"));
}

TEST_F(ListingTest, AListWithoutPathsIsSaid) {
  EXPECT_THAT(listed(""), ElementsAre("?-"));
  EXPECT_EQ(error, "there are no paths in this list");
  EXPECT_THAT(listed("\n\r\n"), ElementsAre("?-"));
}

TEST_F(ListingTest, AnImageInPlaceOfAListIsSaid) {
  EXPECT_THAT(listed("\x89PNG\r\n\x1a\n and more\n and more\n"), ElementsAre("?-"));
  EXPECT_EQ(error, "the list cannot be read: it is a PNG image");
}

TEST_F(ListingTest, AListThatPausesDoesNotBlock) {
  Pipe list;
  Listing listing(inputs({"-"}, list.ends[0]));
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

}  // namespace
}  // namespace producer
