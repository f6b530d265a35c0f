#include "models/research/data/tile_file.h"

#include <fstream>
#include <stdexcept>

#include "tests/models/research/data/scratch.h"

namespace models {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;

class TileFiles : public Scratch {
 protected:
  static Bytes read(const TileFile& file, std::size_t i) {
    Bytes tile(3);
    file.read(i, tile);
    return tile;
  }
};

TEST_F(TileFiles, TilesAreReadInAnyOrder) {
  TileFile file(folder_ / "deep" / "er", 3);
  file.append(Bytes{1, 2, 3});
  file.append(Bytes{4, 5, 6});
  EXPECT_EQ(file.size(), 2u);
  EXPECT_THAT(read(file, 1), ElementsAre(4, 5, 6));
  EXPECT_THAT(read(file, 0), ElementsAre(1, 2, 3));
}

TEST_F(TileFiles, AMovedFileHasItsTiles) {
  TileFile file(folder_, 3);
  file.append(Bytes{1, 2, 3});
  TileFile moved = std::move(file);
  moved.append(Bytes{4, 5, 6});
  EXPECT_THAT(read(moved, 0), ElementsAre(1, 2, 3));
  EXPECT_THAT(read(moved, 1), ElementsAre(4, 5, 6));
}

TEST_F(TileFiles, NothingIsLeftInTheFolder) {
  const TileFile file(folder_ / "run", 3);
  EXPECT_TRUE(fs::is_empty(folder_ / "run"));
}

// Bytes of this process's own in memory.
std::size_t resident() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(TileFiles, TheyAreNotKeptInMemory) {
  constexpr std::size_t kTiles = 64;
  const Bytes tile(1 << 20, 7);
  TileFile file(folder_, tile.size());
  const std::size_t before = resident();
  for (std::size_t i = 0; i < kTiles; ++i) file.append(tile);
  EXPECT_LT(resident(), before + 16 * tile.size());
  Bytes last(tile.size());
  file.read(kTiles - 1, last);
  EXPECT_THAT(last, Each(7));
}

TEST_F(TileFiles, WithoutAFolderLieInTheWorkingFolder) {
  TileFile file({}, 3);
  file.append(Bytes{1, 2, 3});
  EXPECT_THAT(read(file, 0), ElementsAre(1, 2, 3));
}

TEST_F(TileFiles, AFolderThatCannotBeMadeIsNamed) {
  put("plain", {});
  EXPECT_THAT([&] { TileFile(folder_ / "plain", 3); }, fails_with(folder_ / "plain", ""));
}

}  // namespace
}  // namespace models
