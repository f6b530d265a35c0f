#include "imaging/exif.h"

#include <gmock/gmock.h>

#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

// The same as exif(), in little-endian order.
Bytes little_exif(int orientation) {
  return joined({bytes_of("II"), {42,
                                  0,
                                  8,
                                  0,
                                  0,
                                  0,
                                  1,
                                  0,
                                  0x12,
                                  0x01,
                                  3,
                                  0,
                                  1,
                                  0,
                                  0,
                                  0,
                                  static_cast<std::uint8_t>(orientation),
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0}});
}

TEST(Exif, HasOneOfEightOrientationsInEitherByteOrder) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(orientation_of_exif(exif(orientation)), orientation);
    EXPECT_EQ(orientation_of_exif(exif(orientation, 4)), orientation);
    EXPECT_EQ(orientation_of_exif(little_exif(orientation)), orientation);
    EXPECT_EQ(orientation_of_exif(joined({bytes_of("Exif"), {0, 0}, exif(orientation)})),
              orientation);
  }
}

TEST(Exif, OtherValuesAndTypesAreUpright) {
  EXPECT_EQ(orientation_of_exif(exif(0)), 1);
  EXPECT_EQ(orientation_of_exif(exif(9)), 1);
  EXPECT_EQ(orientation_of_exif(exif(6, 7)), 1);
}

TEST(Exif, IsReadAsFarAsItGoes) {
  const Bytes whole = exif(6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    // 8 bytes of header, 2 of the count, and the entry.
    EXPECT_EQ(orientation_of_exif(part), size >= 22 ? 6 : 1) << size;
  }
  // A directory of 65,535 entries that lies outside.
  EXPECT_EQ(orientation_of_exif(joined({bytes_of("MM"), {0, 42, 0xff, 0xff, 0xff, 0xf0}})), 1);
  Bytes many = exif(6);
  many[8] = many[9] = 0xff;
  many[10] = 0;
  EXPECT_EQ(orientation_of_exif(many), 1);
}

TEST(Exif, TheFirstDirectoryDecides) {
  // Another directory, as that of a thumbnail, follows.
  EXPECT_EQ(orientation_of_exif(joined({exif(6), exif(8)})), 6);
}

}  // namespace
}  // namespace imaging
