#include "producer/push/path_list.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "tests/producer/push/pipe.h"

namespace producer {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Next = PathList::Next;

// The paths of a list; a fault is the last one, with a '!' before it.
std::vector<std::string> paths_of(int descriptor) {
  PathList list(descriptor);
  std::vector<std::string> paths;
  std::string text;
  for (Next next = list.next(text); next != Next::end; next = list.next(text)) {
    paths.push_back((next == Next::fault ? "!" : "") + text);
    if (next == Next::later || paths.size() > 100) return {"it does not end"};
  }
  return paths;
}
std::vector<std::string> paths(const std::string& text) {
  Pipe pipe;
  pipe.write_text(text);
  pipe.hang_up();
  return paths_of(pipe.ends[0]);
}

TEST(PathList, PathsEndWithANewline) {
  EXPECT_THAT(paths("a\nb c\n\nd"), ElementsAre("a", "b c", "", "d"));
  EXPECT_THAT(paths(""), IsEmpty());
}

TEST(PathList, PathsEndWithNulAsFindPrintsThem) {
  EXPECT_THAT(paths("a\0new\nline\0b\0"s), ElementsAre("a", "new\nline", "b"));
  EXPECT_THAT(paths("only\0"s), ElementsAre("only"));
}

TEST(PathList, ANulThatComesLateEndsAPathToo) {
  const std::string many(5000, 'x');
  EXPECT_THAT(paths("c\n" + many + "\na\0b\n"s), ElementsAre("c", many, "a", "b"));
}

TEST(PathList, AByteOrderMarkIsNoPartOfTheFirstPath) {
  EXPECT_THAT(paths("\xef\xbb\xbf"
                    "a\nb\n"),
              ElementsAre("a", "b"));
}

TEST(PathList, WhatIsNoListIsRecognised) {
  EXPECT_THAT(paths("\xff\xd8\xff\xe0\0\x10JFIF\n"s), ElementsAre(HasSubstr("!it is a JPEG")));
  EXPECT_THAT(paths("\x89PNG\r\n\x1a\n\0\0"s), ElementsAre(HasSubstr("PNG")));
  EXPECT_THAT(paths("GIF89a\x01\0\x01\0"s), ElementsAre(HasSubstr("GIF")));
  EXPECT_THAT(paths("RIFF\x10\0\0\0WEBPVP8 "s), ElementsAre(HasSubstr("WebP")));
  EXPECT_THAT(paths("BM\x46\1\0\0\0\0\0\0\x36\0"s), ElementsAre(HasSubstr("BMP")));
  EXPECT_THAT(paths("II*\0\x08\0\0\0"s), ElementsAre(HasSubstr("TIFF")));
  EXPECT_THAT(paths("\0\0\0\x1c"
                    "ftypheic"s),
              ElementsAre(HasSubstr("HEIC")));
  EXPECT_THAT(paths("<svg xmlns='x'>\n</svg>\n"), ElementsAre(HasSubstr("SVG")));
  EXPECT_THAT(paths("\xff\xfe"
                    "a\0.\0\n\0"s),
              ElementsAre(HasSubstr("UTF-16")));
}

TEST(PathList, NamesThatOnlyLookLikeAnImageArePaths) {
  EXPECT_THAT(paths("RIFF/x\nBMW/1.png\nII\n\xff\xfe.png\n"),
              ElementsAre("RIFF/x", "BMW/1.png", "II", "\xff\xfe.png"));
  EXPECT_THAT(paths("\xff\xfe.png\n"), ElementsAre("\xff\xfe.png"));
}

TEST(PathList, APathWithoutAnEndStaysBounded) {
  Pipe pipe;
  PathList list(pipe.ends[0]);
  std::string text;
  for (std::size_t i = 0; i < PathList::kPathMax / 4096; ++i) {
    EXPECT_EQ(list.next(text), Next::later);
    pipe.write_text(std::string(4096, 'x'));
  }
  EXPECT_EQ(list.next(text), Next::later);
  pipe.write_text("x");
  EXPECT_EQ(list.next(text), Next::fault);
  EXPECT_THAT(text, HasSubstr("longer than 65536 bytes"));
  EXPECT_EQ(list.next(text), Next::end);
}

TEST(PathList, AReadErrorIsAFault) {
  EXPECT_THAT(paths_of(987), ElementsAre("!it is closed"));
  const int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_THAT(paths_of(folder), ElementsAre("!Is a directory"));
  close(folder);
}

}  // namespace
}  // namespace producer
