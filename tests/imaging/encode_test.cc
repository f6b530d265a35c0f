#include "imaging/encode.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <numeric>
#include <stdexcept>

#include "imaging/decode.h"

namespace imaging {
namespace {

Picture ramp(int width, int height, int channels) {
  Picture picture{width, height, channels, {}};
  picture.pixels.resize(static_cast<std::size_t>(width * height * channels));
  std::iota(picture.pixels.begin(), picture.pixels.end(), std::uint8_t{0});
  return picture;
}

std::vector<std::uint8_t> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Folder {
 public:
  Folder() : path_(testing::TempDir() + "collage_encode_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Encode, AGreyPictureComesBackBitForBit) {
  const Picture picture = ramp(28, 28, 1);
  const auto back = decode(encode_png(picture), {28, 28, 1}, {});
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, picture);
}

TEST(Encode, AColourPictureComesBackBitForBit) {
  const Picture picture = ramp(17, 5, 3);
  const auto back = decode(encode_png(picture), {17, 5, 3}, {});
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, picture);
}

TEST(Encode, WritingReplacesTheFileAndLeavesNothingBesideIt) {
  const Folder folder;
  const auto path = folder.path() / "a.png";
  write_png(path, ramp(4, 4, 1));
  write_png(path, ramp(6, 6, 3));
  EXPECT_EQ(read(path), encode_png(ramp(6, 6, 3)));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Encode, AFolderThatIsMissingIsNamedInTheError) {
  const Folder folder;
  const auto path = folder.path() / "missing" / "a.png";
  try {
    write_png(path, ramp(2, 2, 1));
    FAIL() << "written all the same";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith(path.string() + ": cannot be written: "));
  }
}

}  // namespace
}  // namespace imaging
