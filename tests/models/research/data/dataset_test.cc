#include "models/research/data/dataset.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(FashionMnist, HasSixtyThousandImagesToTrainAndTenThousandToTest) {
  const Dataset train = load_fashion_mnist(fashion_mnist_folder(), Part::train);
  const Dataset test = load_fashion_mnist(fashion_mnist_folder(), Part::test);
  EXPECT_EQ(train.size(), 60000u);
  EXPECT_EQ(test.size(), 10000u);
  EXPECT_EQ(test.class_names.size(), 10u);
  EXPECT_EQ(test.class_names[static_cast<std::size_t>(test.labels[0])], "Ankle boot");
  for (int label = 0; label < 10; ++label) EXPECT_EQ(std::ranges::count(test.labels, label), 1000);
}

TEST(Without, LeavesOutWhatIsTheSameToTheLastPixel) {
  const Dataset data = toy_data(20, 1);
  const std::vector<std::size_t> some = {3, 19};
  Dataset known = select(data, some);
  std::ranges::fill(known.labels, kUnlabelled);
  const Dataset rest = without(data, known);
  ASSERT_EQ(rest.size(), 18u);
  EXPECT_TRUE(std::ranges::equal(rest.tile(3), data.tile(4)));
  EXPECT_EQ(rest.labels[3], data.labels[4]);
  known.pixels[0] ^= 1;
  EXPECT_EQ(without(data, known).size(), 19u);
}

TEST(DigestOf, IsThatOfWhatARunSeesAndOfNothingElse) {
  const Dataset data = toy_data(20, 1);
  Dataset other = data;
  other.name = "called otherwise";
  EXPECT_EQ(digest_of(other), digest_of(data));
  std::vector<std::string> digests = {digest_of(data), digest_of(toy_data(20, 2))};
  const auto changed = [&](auto change) {
    Dataset copy = data;
    change(copy);
    digests.push_back(digest_of(copy));
  };
  changed([](Dataset& d) { d.labels[3] = (d.labels[3] + 1) % 4; });
  changed([](Dataset& d) { d.pixels.back() ^= 1; });
  changed([](Dataset& d) { d.class_names[1] = "crimson"; });
  changed([](Dataset& d) { std::swap(d.shape.width, d.shape.channels); });
  changed([](Dataset& d) { d.normalisation.mean[0] += 0.1; });
  changed([](Dataset& d) { d.normalisation.order = ChannelOrder::bgr; });
  EXPECT_EQ(std::set(digests.begin(), digests.end()).size(), digests.size());
}

TEST(FashionMnist, AMissingFolderGivesOneLineThatNamesTheFile) {
  EXPECT_THAT([] { load_fashion_mnist("/nowhere", Part::test); },
              ThrowsMessage<std::runtime_error>(
                  HasSubstr("/nowhere/t10k-images-idx3-ubyte.gz: cannot be opened")));
}

TEST(FashionMnist, LabelsThatDoNotFitThePicturesAreRefused) {
  const auto folder = std::filesystem::path(::testing::TempDir()) / "short_fashion";
  std::filesystem::create_directories(folder);
  std::string images("\0\0\x08\x03\0\0\0\x02\0\0\0\x1c\0\0\0\x1c", 16);
  images += std::string(2 * 784, 'x');
  std::ofstream(folder / "t10k-images-idx3-ubyte.gz") << images;
  std::ofstream(folder / "t10k-labels-idx1-ubyte.gz")
      << std::string("\0\0\x08\x01\0\0\0\x01\x05", 9);
  EXPECT_THAT([&] { load_fashion_mnist(folder, Part::test); },
              ThrowsMessage<std::runtime_error>(HasSubstr("as many pictures as labels")));
  std::filesystem::remove_all(folder);
}

TEST(HoldBack, SplitsOffTheSamePicturesEachTimeAndLosesNone) {
  Dataset data = toy_data(100, 1);
  for (std::size_t i = 0; i < 100; ++i) data.labels[i] = static_cast<int>(i);  // Tells them apart.
  const auto [rest, held_back] = hold_back(data, 30);
  ASSERT_EQ(rest.size(), 70u);
  ASSERT_EQ(held_back.size(), 30u);
  std::set<int> seen(rest.labels.begin(), rest.labels.end());
  seen.insert(held_back.labels.begin(), held_back.labels.end());
  EXPECT_EQ(seen.size(), 100u);
  const Dataset copy = data;
  EXPECT_EQ(hold_back(copy, 30).second.labels, held_back.labels);
  const auto first = static_cast<std::size_t>(held_back.labels[0]);
  EXPECT_TRUE(std::ranges::equal(held_back.tile(0), data.tile(first)));
}

TEST(Append, PutsPicturesBehindTheOthers) {
  Dataset data = toy_data(3, 1);
  Dataset more = toy_data(2, 2);
  data.in_file = {0, 1, 2};
  more.in_file = {7, 8};
  const Dataset first = data;
  append(data, more);
  ASSERT_EQ(data.size(), 5u);
  EXPECT_TRUE(std::ranges::equal(data.tile(2), first.tile(2)));
  EXPECT_TRUE(std::ranges::equal(data.tile(4), more.tile(1)));
  EXPECT_EQ(data.labels[3], more.labels[0]);
  EXPECT_THAT(select(data, std::vector<std::size_t>{4, 0}).in_file, ::testing::ElementsAre(8, 0));
}

}  // namespace
}  // namespace models
