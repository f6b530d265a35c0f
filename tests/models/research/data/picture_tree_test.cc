#include "models/research/data/picture_tree.h"

#include <stdexcept>

#include "models/research/data/files.h"
#include "tests/models/research/data/scratch.h"

namespace models {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PictureTrees : public Scratch {
 protected:
  // 2x1 grey tiles of the pictures in `source`.
  static PictureTree tree(const fs::path& source, const std::vector<std::string>& names = {}) {
    return {.source = source,
            .name = "pets",
            .shape = {.width = 2, .height = 1, .channels = 1},
            .normalisation = {.mean = {0.5}, .deviation = {0.25}},
            .class_names = names};
  }

  static Bytes grey(std::uint8_t shade) { return png(2, 1, {shade}); }

  const fs::path pets_ = folder_ / "pets";
};

TEST_F(PictureTrees, ClassesThatAreFoundAreSortedAndPicturesStandInOrderOfPath) {
  put("pets/dog/0.png", grey(30));
  put("pets/cat/1.png", grey(20));
  put("pets/cat/0.png", grey(10));
  const Dataset data = load_picture_tree(tree(pets_));
  EXPECT_EQ(data.name, "pets");
  EXPECT_EQ(data.shape, (TileShape{.width = 2, .height = 1, .channels = 1}));
  EXPECT_EQ(data.normalisation, (Normalisation{.mean = {0.5}, .deviation = {0.25}}));
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(data.labels, ElementsAre(0, 0, 1));
  EXPECT_THAT(data.pixels, ElementsAre(10, 10, 20, 20, 30, 30));
}

TEST_F(PictureTrees, ClassesThatAreGivenKeepTheirOrderAndNeedNoPicture) {
  put("pets/dog/0.png", grey(30));
  put("pets/cat/0.png", grey(10));
  const Dataset data = load_picture_tree(tree(pets_, {"dog", "hamster", "cat"}));
  EXPECT_THAT(data.class_names, ElementsAre("dog", "hamster", "cat"));
  EXPECT_THAT(data.labels, ElementsAre(2, 0));
}

TEST_F(PictureTrees, TheFolderThatHoldsTheFileIsItsClassHoweverDeep) {
  put("pets/small/cat/0.png", grey(10));
  put("pets/large/indoors/cat/0.png", grey(20));
  const Dataset data = load_picture_tree(tree(pets_));
  EXPECT_THAT(data.class_names, ElementsAre("cat"));
  EXPECT_THAT(data.pixels, ElementsAre(20, 20, 10, 10));
}

TEST_F(PictureTrees, AnArchiveGivesWhatItsFolderWould) {
  const auto file = put_archive("pets.tar.gz", {{"./pets/dog/0.png", grey(30)},
                                                {"./pets/cat/1.png", grey(20)},
                                                {"./pets/cat/0.png", grey(10)}});
  const Dataset data = load_picture_tree(tree(file));
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(data.labels, ElementsAre(0, 0, 1));
  EXPECT_THAT(data.pixels, ElementsAre(10, 10, 20, 20, 30, 30));
}

TEST_F(PictureTrees, PicturesAreBroughtToTheShape) {
  put("pets/cat/0.png", png(40, 30, {255, 0, 0}));
  put("pets/cat/1.png", png(1, 1, {7}));
  PictureTree colour = tree(pets_);
  colour.shape.channels = 3;
  EXPECT_THAT(load_picture_tree(colour).pixels,
              ElementsAre(255, 0, 0, 255, 0, 0, 7, 7, 7, 7, 7, 7));
}

TEST_F(PictureTrees, AMissingOrDamagedSourceIsNamed) {
  EXPECT_THAT([&] { load_picture_tree(tree(pets_)); }, fails_with(pets_, "no such folder"));
  const auto file = put("pets.tar", bytes_of("nothing of the kind"));
  EXPECT_THAT([&] { load_picture_tree(tree(file)); }, fails_with(file, "is no tar archive"));
}

TEST_F(PictureTrees, ASourceWithoutPicturesIsRefused) {
  fs::create_directories(pets_ / "cat");
  for (const Labels labels : {Labels::required, Labels::if_any}) {
    EXPECT_THAT([&] { load_picture_tree(tree(pets_), labels); },
                fails_with(pets_, "has no pictures"));
  }
}

TEST_F(PictureTrees, AFileThatDoesNotDecodeIsNamedWithTheReason) {
  Bytes cut = png(40, 30, {1, 2, 3});
  cut.resize(cut.size() / 2);
  const std::vector<std::pair<Bytes, std::string>> cases = {
      {bytes_of("notes"), "not_an_image"}, {{}, "empty_image"}, {cut, "truncated_image"}};
  put("pets/cat/0.png", grey(10));
  for (const auto& [bytes, reason] : cases) {
    put("pets/cat/1.png", bytes);
    EXPECT_THAT([&] { load_picture_tree(tree(pets_)); },
                fails_with(pets_, "cat/1.png: does not decode (" + reason + ")"));
  }
}

TEST_F(PictureTrees, WhatIsNoPictureIsSkippedAndSaidWhereThatIsAskedFor) {
  put("pets/README.txt", bytes_of("notes"));
  put("pets/cat/0.png", grey(10));
  put("pets/cat/1.png", {});
  fs::create_symlink(pets_ / "cat" / "0.png", pets_ / "cat" / "2.png");
  fs::create_symlink(pets_ / "nothing", pets_ / "cat" / "3.png");
  fs::create_directory_symlink(pets_ / "cat", pets_ / "cats");
  std::vector<std::string> skipped;
  PictureTree lenient = tree(pets_);
  lenient.on_skipped = [&](const std::string& file) { skipped.push_back(file); };
  const Dataset data = load_picture_tree(lenient);
  EXPECT_THAT(data.class_names, ElementsAre("cat"));
  EXPECT_THAT(data.pixels, ElementsAre(10, 10, 10, 10));  // A link to a file counts as the file.
  EXPECT_THAT(skipped,
              ElementsAre("README.txt: not_an_image", "cat/1.png: empty_image",
                          "cat/3.png: is a link to nothing", "cats: is a link to a folder"));
}

TEST_F(PictureTrees, AFolderThatIsNoneOfTheClassesIsNamed) {
  put("pets/cat/0.png", grey(10));
  put("pets/cow/0.png", grey(10));
  for (const Labels labels : {Labels::required, Labels::if_any}) {
    EXPECT_THAT(
        [&] {
          load_picture_tree(tree(pets_, {"cat", "dog"}), labels);
        },
        fails_with(pets_, "cow/0.png: folder 'cow' is no class, expected one of cat, dog"));
  }
}

TEST_F(PictureTrees, OfManyClassesOnlyTheFirstAreListed) {
  put("pets/cow/0.png", grey(10));
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("n" + std::to_string(i));
  EXPECT_THAT([&] { load_picture_tree(tree(pets_, names)); }, fails_with(pets_, "n18, n19, ..."));
}

TEST_F(PictureTrees, AFileOutsideAFolderIsNamedWhereLabelsAreRequired) {
  put("pets/0.png", grey(10));
  EXPECT_THAT([&] { load_picture_tree(tree(pets_)); }, fails_with(pets_, "0.png: is in no folder"));
}

TEST_F(PictureTrees, AFileOutsideAFolderIsNamedIfOthersStandInOne) {
  put("pets/0.png", grey(10));
  put("pets/cat/0.png", grey(10));
  for (const Labels labels : {Labels::required, Labels::if_any}) {
    EXPECT_THAT([&] { load_picture_tree(tree(pets_), labels); },
                fails_with(pets_, "0.png: is in no folder"));
  }
}

TEST_F(PictureTrees, WhereNoFileStandsInAFolderAllMayBeUnlabelled) {
  put("pets/b.png", grey(20));
  put("pets/a.png", grey(10));
  const auto file = put_archive("pets.tar", {{"./b.png", grey(20)}, {"./a.png", grey(10)}});
  for (const fs::path& source : {pets_, file}) {
    const Dataset data = load_picture_tree(tree(source, {"cat", "dog"}), Labels::if_any);
    EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
    EXPECT_THAT(data.labels, ElementsAre(kUnlabelled, kUnlabelled));
    EXPECT_THAT(data.pixels, ElementsAre(10, 10, 20, 20));
    EXPECT_THAT(load_picture_tree(tree(source), Labels::if_any).class_names, IsEmpty());
  }
}

TEST_F(PictureTrees, LabelsThatAreThereAreTakenWhereTheyNeedNotBe) {
  put("pets/dog/0.png", grey(10));
  EXPECT_THAT(load_picture_tree(tree(pets_, {"cat", "dog"}), Labels::if_any).labels, Each(1));
}

TEST_F(PictureTrees, FoldersThatAreNoClassesMayBeIgnored) {
  put("pets/monday/0.png", grey(10));
  put("pets/1.png", grey(20));
  const Dataset data = load_picture_tree(tree(pets_, {"cat", "dog"}), Labels::ignored);
  EXPECT_THAT(data.labels, ElementsAre(kUnlabelled, kUnlabelled));
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
}

TEST_F(PictureTrees, AFileThatCannotBeReadIsSkippedOrElseAnError) {
  put("pets/cat/0.png", grey(10));
  fs::resize_file(put("pets/cat/1.png", {}), kFileBytesMax + 1);  // Sparse.
  EXPECT_THAT([&] { load_picture_tree(tree(pets_)); },
              fails_with(pets_, "cat/1.png: is too large"));
  std::vector<std::string> skipped;
  PictureTree lenient = tree(pets_);
  lenient.on_skipped = [&](const std::string& file) { skipped.push_back(file); };
  EXPECT_EQ(load_picture_tree(lenient).size(), 1u);
  EXPECT_THAT(skipped, ElementsAre("cat/1.png: is too large"));
}

// An archive, whose pictures are not read in order of path.
TEST_F(PictureTrees, SecondTilesGoToAFileUnderTheNumbersThatTheDataSetHas) {
  const auto source = put_archive(
      "pets.tar",
      {{"dog/0.png", grey(30)}, {"cat/1.png", bytes_of("no picture")}, {"cat/0.png", grey(10)}});
  TileFile file(folder_ / "run", 4);
  file.append(Bytes(4, 99));  // Of another tree.
  std::vector<std::size_t> counts;
  PictureTree two = tree(source);
  two.second = {.shape = {.width = 4, .height = 1, .channels = 1}, .preprocess = {}, .file = &file};
  two.on_skipped = [](const std::string&) {};
  two.on_read = [&](std::size_t pictures) { counts.push_back(pictures); };
  const Dataset data = load_picture_tree(two);
  EXPECT_THAT(data.pixels, ElementsAre(10, 10, 30, 30));
  EXPECT_THAT(data.in_file, ElementsAre(2, 1));
  EXPECT_EQ(file.size(), 3u);
  Bytes tile(4);
  file.read(data.in_file[0], tile);
  EXPECT_THAT(tile, Each(10));
  EXPECT_THAT(counts, ElementsAre(1, 2));
}

TEST_F(PictureTrees, LinkedPicturesCountAndLinkedFoldersDoNot) {
  put("pets/cat/0.png", grey(10));
  fs::create_symlink("0.png", pets_ / "cat" / "1.png");
  fs::create_directory_symlink("cat", pets_ / "dog");
  const Dataset data = load_picture_tree(tree(pets_));
  EXPECT_EQ(data.size(), 2u);
  EXPECT_THAT(data.class_names, ElementsAre("cat"));
}

}  // namespace
}  // namespace models
