#include "models/research/data/sources.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "tests/models/research/data/jpeg.h"
#include "tests/models/research/data/scratch.h"

namespace models {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::ThrowsMessage;
using Form = Source::Form;

auto is_source(const std::string& name, Part part, const fs::path& place, Form form) {
  return Optional(AllOf(Field(&Source::name, name), Field(&Source::part, part),
                        Field(&Source::place, place), Field(&Source::form, form)));
}

auto throws_line(const std::string& what) {
  return ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(what), Not(HasSubstr("\n"))));
}

class Sources : public Scratch {
 protected:
  std::optional<Source> find(Part part) const { return find_source("cifar10", part, folder_); }
};

TEST(DatasetNames, AreThoseThatCanBeFound) {
  EXPECT_THAT(dataset_names(), ElementsAre("fashion", "cifar10", "imagenet64"));
}

TEST_F(Sources, FashionIsFoundInTheFolderOrItsFashionMnist) {
  for (const char* place : {"fashion-mnist", "."}) {  // The folder itself comes first.
    for (const char* file : {"t10k-images-idx3-ubyte.gz", "train-images-idx3-ubyte.gz"}) {
      put(fs::path(place) / file, {});
    }
    const fs::path want = std::string(place) == "." ? folder_ : folder_ / place;
    for (const Part part : {Part::train, Part::test}) {
      EXPECT_THAT(find_source("fashion", part, folder_),
                  is_source("fashion", part, want, Form::idx));
    }
  }
}

TEST_F(Sources, FashionIsElseWhereDebianPutsIt) {
  for (const auto& folder : {std::optional(folder_), std::optional<fs::path>()}) {
    EXPECT_THAT(find_source("fashion", Part::train, folder),
                is_source("fashion", Part::train, fashion_mnist_folder(), Form::idx));
  }
  EXPECT_EQ(load_by_name("fashion", Part::test, std::nullopt).size(), 10'000u);
}

TEST_F(Sources, AFolderWithTheOtherPartOfFashionIsPassedOver) {
  put("t10k-images-idx3-ubyte.gz", {});
  EXPECT_THAT(find_source("fashion", Part::train, folder_),
              is_source("fashion", Part::train, fashion_mnist_folder(), Form::idx));
}

TEST_F(Sources, Cifar10IsFoundInEachFormAndPlace) {
  for (const char* place : {"", "cifar10", "cifar-10-batches-bin"}) {
    const fs::path base = *place == '\0' ? folder_ : folder_ / place;
    const auto expect = [&](const std::string& made, Part part, const std::string& want,
                            Form form) {
      const fs::path where = want.empty() ? base : base / want;
      EXPECT_THAT(find(part), is_source("cifar10", part, where, form)) << base << " " << made;
      fs::remove_all(base / fs::path(made).begin()->string());
      EXPECT_EQ(find(part), std::nullopt) << base << " " << made;
    };
    const auto make = [&](const std::string& file) { put(fs::path(place) / file, {}); };

    make("train/cat/0.jpg");
    expect("train/cat/0.jpg", Part::train, "train", Form::tree);
    make("test/cat/0.jpg");
    expect("test/cat/0.jpg", Part::test, "test", Form::tree);
    make("cifar10-train.tar.gz");
    expect("cifar10-train.tar.gz", Part::train, "cifar10-train.tar.gz", Form::tree);
    make("cifar10-test.tar.gz");
    expect("cifar10-test.tar.gz", Part::test, "cifar10-test.tar.gz", Form::tree);
    make("data_batch_1.bin");
    expect("data_batch_1.bin", Part::train, "", Form::cifar_binary);
    make("test_batch.bin");
    expect("test_batch.bin", Part::test, "", Form::cifar_binary);
    make("cifar-10-binary.tar.gz");
    expect("cifar-10-binary.tar.gz", Part::test, "cifar-10-binary.tar.gz", Form::cifar_binary);
  }
}

TEST_F(Sources, OfSeveralFormsInOnePlaceTheFirstListedIsTaken) {
  const std::vector<std::string> forms = {"cifar-10-binary.tar.gz", "test_batch.bin",
                                          "cifar10-test.tar.gz", "test/cat/0.jpg"};
  const std::vector<std::string> places = {"cifar-10-binary.tar.gz", "", "cifar10-test.tar.gz",
                                           "test"};
  for (std::size_t i = 0; i < forms.size(); ++i) {
    put(forms[i], {});
    EXPECT_EQ(find(Part::test)->place, places[i].empty() ? folder_ : folder_ / places[i]);
  }
}

TEST_F(Sources, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(find(Part::train), std::nullopt);
  EXPECT_EQ(find_source("cifar10", Part::train, std::nullopt), std::nullopt);
  EXPECT_EQ(find_source("cifar10", Part::train, folder_ / "nowhere"), std::nullopt);
  EXPECT_EQ(find_source("imagenet", Part::train, folder_), std::nullopt);
}

TEST_F(Sources, ATreeOfCifar10HasItsClassesWhateverIsThere) {
  put("cifar10/train/ship/0.png", png(32, 32, {1, 2, 3}));
  const auto test =
      put_archive("cifar10-test.tar.gz", {{"test/cat/0.png", png(32, 32, {4, 5, 6})}});
  const Dataset train = load_by_name("cifar10", Part::train, folder_);
  EXPECT_EQ(train.name, "cifar10");
  EXPECT_EQ(train.class_names.size(), 10u);
  EXPECT_EQ(train.normalisation.mean.size(), 3u);
  EXPECT_THAT(train.labels, ElementsAre(8));
  EXPECT_THAT(load({"cifar10", Part::test, test, Form::tree}).labels, ElementsAre(3));
}

TEST_F(Sources, ImageNet64IsFoundAsATreeOrAnArchive) {
  const auto expect = [&](Part part, const fs::path& place) {
    EXPECT_THAT(find_source("imagenet64", part, folder_),
                is_source("imagenet64", part, place, Form::tree));
  };
  EXPECT_EQ(find_source("imagenet64", Part::train, folder_), std::nullopt);
  put("data_batch_1.bin", {});  // Of another data set.
  put("cifar10-train.tar.gz", {});
  EXPECT_EQ(find_source("imagenet64", Part::train, folder_), std::nullopt);
  const auto nested = put("imagenet64/imagenet64-train.tar.gz", {});
  expect(Part::train, nested);
  EXPECT_EQ(find_source("imagenet64", Part::test, folder_), std::nullopt);
  expect(Part::train, put("imagenet64-train.tar.gz", {}));
  put("train/lion/0.jpg", {});
  expect(Part::train, folder_ / "train");
  EXPECT_EQ(find_source("imagenet64", Part::train, std::nullopt), std::nullopt);
}

TEST_F(Sources, ImageNet64HasAHundredClassesAndItsJpegsAreBroughtTo64Pixels) {
  put_archive("imagenet64-train.tar.gz", {{"train/yorkshire-terrier/0000.jpg", jpeg(64, 64, 200)},
                                          {"train/abacus/0001.jpg", jpeg(80, 64, 60)}});
  const Dataset data = load_by_name("imagenet64", Part::train, folder_);
  EXPECT_EQ(data.name, "imagenet64");
  EXPECT_EQ(data.shape, (TileShape{.width = 64, .height = 64, .channels = 3}));
  ASSERT_EQ(data.class_names.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(data.class_names, std::less_equal<>()));
  EXPECT_THAT(data.labels, ElementsAre(0, 99));
  EXPECT_NEAR(data.tile(0)[2000], 60, 2);
  EXPECT_NEAR(data.tile(1)[2000], 200, 2);

  const auto wrong = put_archive("imagenet64-test.tar.gz", {{"test/cat/0.jpg", jpeg(64, 64, 9)}});
  EXPECT_THAT([&] { load_by_name("imagenet64", Part::test, folder_); },
              fails_with(wrong, "'cat' is no class"));
}

TEST_F(Sources, TheBinaryFormIsLoadedByItsPart) {
  Bytes record(3073, 50);
  record[0] = 7;
  put("test_batch.bin", record);
  EXPECT_THAT(load_by_name("cifar10", Part::test, folder_).labels, ElementsAre(7));
  EXPECT_THAT([&] { load_by_name("cifar10", Part::train, folder_); },
              throws_line("data_batch_1.bin: missing"));
}

TEST_F(Sources, WhatIsNotThereIsAskedForInOneLine) {
  EXPECT_THAT([&] { load_by_name("cifar10", Part::test, folder_); },
              throws_line("cifar10: not found in " + folder_.string() +
                          "; expected test/CLASS/*.jpg, cifar10-test.tar.gz, "));
  EXPECT_THAT([&] { load_by_name("imagenet64", Part::test, folder_); },
              throws_line("imagenet64: not found in " + folder_.string() +
                          "; expected test/CLASS/*.jpg or imagenet64-test.tar.gz; --data"));
  EXPECT_THAT(
      [&] { load_by_name("cifar10", Part::train, std::nullopt); },
      throws_line("cifar10: not found; expected train/CLASS/*.jpg, cifar10-train.tar.gz, "));
}

TEST_F(Sources, AnUnknownNameIsSaidToBeThat) {
  EXPECT_THAT([&] { load_by_name("imagenet", Part::test, folder_); },
              throws_line("imagenet: no such data set"));
}

}  // namespace
}  // namespace models
