#include "imaging/format.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

using namespace std::string_view_literals;

Format of(std::string_view text) { return format_of(bytes_of(text)); }

TEST(Format, IsToldByTheFirstBytes) {
  EXPECT_EQ(of("\xff\xd8\xff\xe0"sv), Format::jpeg);
  EXPECT_EQ(of("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv), Format::png);
  EXPECT_EQ(of("RIFF\x24\0\0\0WEBPVP8 "sv), Format::webp);
  EXPECT_EQ(of("GIF87a"sv), Format::gif);
  EXPECT_EQ(of("II*\0\x08\0\0\0"sv), Format::tiff);
  EXPECT_EQ(of("MM\0*\0\0\0\x08"sv), Format::tiff);
  EXPECT_EQ(of("\0\0\0\x18"
               "ftypheic\0\0\0\0mif1"sv),
            Format::heic);
  EXPECT_EQ(of("\0\0\0\x1c"
               "ftypmif1\0\0\0\0mif1avif"sv),
            Format::avif);
}

TEST(Format, IsKnownOfManyThatAreNotServed) {
  EXPECT_EQ(of("\x89PNG\r\n\x1a\n\0\0\0\x04"
               "CgBI"sv),
            Format::apple_png);
  EXPECT_EQ(of("II+\0\x08\0\0\0"sv), Format::bigtiff);
  EXPECT_EQ(of("BM\x36\x0c\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"sv), Format::bmp);
  EXPECT_EQ(of("II*\0\x10\0\0\0CR\x02\0"sv), Format::camera_raw);
  EXPECT_EQ(of("\0\0\0\x18"
               "ftypcrx \0\0\0\x01"sv),
            Format::camera_raw);
  EXPECT_EQ(of("DDS |\0\0\0"sv), Format::dds);
  EXPECT_EQ(of("\0\0\1\0\1\0\x20\x20\0\0\1\0"sv), Format::ico);
  EXPECT_EQ(of("\0\0\0\x18"
               "ftypmp42\0\0\0\0"sv),
            Format::iso_media);
  EXPECT_EQ(of("\0\0\0\x0cjP  \r\n\x87\n"sv), Format::jpeg_2000);
  EXPECT_EQ(of("\xff\x4f\xff\x51\0"sv), Format::jpeg_2000);
  EXPECT_EQ(of("\xff\x0a\x7f"sv), Format::jpeg_xl);
  EXPECT_EQ(of("P6\n2 2\n255\n"sv), Format::netpbm);
  EXPECT_EQ(of("\x0a\x05\x01\x08\0\0"sv), Format::pcx);
  EXPECT_EQ(of("%PDF-1.7"sv), Format::pdf);
  EXPECT_EQ(of("8BPS\0\1"sv), Format::psd);
  EXPECT_EQ(of("qoif\0\0"sv), Format::qoi);
  EXPECT_EQ(of("\x01\xda\x01\x01\0\x03"sv), Format::sgi);
}

TEST(Format, IsSvgWhateverStandsBeforeItsRoot) {
  for (const std::string_view before :
       {""sv, "\xef\xbb\xbf"sv, " \r\n\t"sv, "<!-- made by -- a tool -->\n"sv,
        "<?xml version='1.0'?>\n"sv, "\xef\xbb\xbf<?xml version='1.0'?><!-- a --> <!-- b -->"sv}) {
    EXPECT_EQ(of(std::string(before) + "<svg width='9'/>"), Format::svg) << before;
    EXPECT_EQ(of(std::string(before) + "<s:svg xmlns:s='x'/>"), Format::svg) << before;
    EXPECT_EQ(of(std::string(before) + "<html></html>"), Format::unknown) << before;
  }
  EXPECT_EQ(of("<!DOCTYPE svg PUBLIC '-//W3C'>"sv), Format::svg);
  EXPECT_EQ(of("<!DOCTYPE html><svg/>"sv), Format::unknown);
  EXPECT_EQ(of("<!-- never closed <svg>"sv), Format::unknown);
  EXPECT_EQ(of("\xff\xfe<\0s\0v\0g\0"sv), Format::svg);
}

TEST(Format, IsUnknownOfTextAndOfBeginningsThatAreOnlyAlike) {
  for (const std::string_view text :
       {""sv, "B"sv, "BM"sv, "BMW is a maker of cars, and not a picture"sv, "\0\0\1\0"sv,
        "RIFF\x24\0\0\0WAVEfmt "sv, "GET / HTTP/1.1\r\n"sv, "\n\xff\xd8\xff"sv,
        "version https://git-lfs.github.com/spec/v1\n"sv, "\x0a\x01\x01\x08"sv}) {
    EXPECT_EQ(of(text), Format::unknown) << text;
  }
}

TEST(Format, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Format::xcf); ++i) {
    EXPECT_TRUE(names.insert(name_of(static_cast<Format>(i))).second);
  }
  EXPECT_EQ(name_of(Format::jpeg_2000), "JPEG 2000");
  EXPECT_EQ(name_of(Format::dds), "DDS");
  EXPECT_EQ(name_of(Format::xcf), "XCF");
}

TEST(FormatSet, HoldsWhatWasPutIn) {
  FormatSet formats{Format::gif};
  EXPECT_TRUE(formats.contains(Format::gif));
  EXPECT_FALSE(formats.contains(Format::jpeg));
  formats.insert(Format::xcf);
  EXPECT_TRUE(formats.contains(Format::xcf));
  EXPECT_EQ(kDefaultFormats, (FormatSet{Format::webp, Format::png, Format::jpeg}));
}

}  // namespace
}  // namespace imaging
