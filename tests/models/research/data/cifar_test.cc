#include "models/research/data/cifar.h"

#include <stdexcept>

#include "tests/models/research/data/scratch.h"

namespace models {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

constexpr std::size_t kPlane = 32 * 32;

// A picture of one colour, apart from its first pixel, which is 1, 2, 3, and the one to the right
// of it, which is 4, 5, 6.
Bytes record(std::uint8_t label, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Bytes out = {label};
  for (const std::uint8_t channel : {red, green, blue}) out.insert(out.end(), kPlane, channel);
  for (std::uint8_t c = 0; c < 3; ++c) {
    out[1 + c * kPlane] = static_cast<std::uint8_t>(1 + c);
    out[2 + c * kPlane] = static_cast<std::uint8_t>(4 + c);
  }
  return out;
}

class Cifar : public Scratch {
 protected:
  // Five batches of one picture labelled by the batch's number, and one to test of two.
  std::vector<Entry> batches() const {
    std::vector<Entry> out;
    for (std::uint8_t i = 5; i > 0; --i) {  // No order is relied upon.
      out.push_back(
          {"cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin", record(i, 10, 20, 30)});
    }
    Bytes test = record(9, 70, 80, 90);
    const Bytes second = record(0, 71, 81, 91);
    test.insert(test.end(), second.begin(), second.end());
    out.push_back({"cifar-10-batches-bin/test_batch.bin", test});
    out.push_back({"cifar-10-batches-bin/readme.html", bytes_of("<html>")});
    return out;
  }

  void put_folder() const {
    for (const Entry& entry : batches()) put(entry.path, entry.bytes);
  }

  const fs::path source_ = folder_ / "cifar-10-batches-bin";
};

TEST_F(Cifar, TrainIsFiveBatchesInOrder) {
  put_folder();
  const Dataset data = load_cifar_binary(source_, Part::train);
  EXPECT_THAT(data.labels, ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(data.pixels.size(), 5 * data.shape.bytes());
}

TEST_F(Cifar, ChannelsThatFollowEachOtherBecomeInterleaved) {
  put_folder();
  const Dataset data = load_cifar_binary(source_, Part::test);
  EXPECT_THAT(data.labels, ElementsAre(9, 0));
  EXPECT_THAT(data.tile(0).first(9), ElementsAre(1, 2, 3, 4, 5, 6, 70, 80, 90));
  EXPECT_THAT(data.tile(1).last(3), ElementsAre(71, 81, 91));
}

TEST_F(Cifar, TheArchiveGivesWhatTheFolderDoes) {
  put_folder();
  const auto file = put_archive("cifar-10-binary.tar.gz", batches());
  for (const Part part : {Part::train, Part::test}) {
    const Dataset folder = load_cifar_binary(source_, part);
    const Dataset archive = load_cifar_binary(file, part);
    EXPECT_EQ(archive.labels, folder.labels);
    EXPECT_EQ(archive.pixels, folder.pixels);
  }
}

TEST_F(Cifar, AMissingBatchIsNamed) {
  put_folder();
  fs::remove(source_ / "data_batch_3.bin");
  EXPECT_THAT([&] { load_cifar_binary(source_, Part::train); },
              fails_with(source_, "data_batch_3.bin: missing"));
  EXPECT_EQ(load_cifar_binary(source_, Part::test).size(), 2u);
}

TEST_F(Cifar, ABatchCutShortIsNamed) {
  put_folder();
  for (const std::uintmax_t size : {0u, 1u, 3072u, 3073u + 1, 2 * 3073u - 1}) {
    fs::resize_file(source_ / "test_batch.bin", size);
    EXPECT_THAT([&] { load_cifar_binary(source_, Part::test); },
                fails_with(source_, "test_batch.bin: is cut short"))
        << size;
  }
}

TEST_F(Cifar, ALabelOverNineIsRefused) {
  put_folder();
  put("cifar-10-batches-bin/data_batch_2.bin", record(10, 1, 1, 1));
  EXPECT_THAT([&] { load_cifar_binary(source_, Part::train); },
              fails_with(source_, "data_batch_2.bin: a label is over 9"));
}

TEST_F(Cifar, AMissingOrDamagedSourceIsNamed) {
  EXPECT_THAT([&] { load_cifar_binary(source_, Part::test); },
              fails_with(source_, "no such folder or archive"));
  const auto file = put_archive("cifar-10-binary.tar.gz", batches());
  fs::resize_file(file, fs::file_size(file) / 2);
  EXPECT_THAT([&] { load_cifar_binary(file, Part::test); }, fails_with(file, "cut short"));
}

TEST(CifarWithoutPictures, HasTenClassesInTheOrderOfTheLabels) {
  const Dataset data = cifar_without_pictures();
  EXPECT_EQ(data.name, "cifar10");
  EXPECT_EQ(data.shape, (TileShape{.width = 32, .height = 32, .channels = 3}));
  EXPECT_THAT(data.class_names, ElementsAreArray({"airplane", "automobile", "bird", "cat", "deer",
                                                  "dog", "frog", "horse", "ship", "truck"}));
  EXPECT_EQ(data.normalisation.mean.size(), 3u);
  EXPECT_EQ(data.normalisation.deviation.size(), 3u);
  EXPECT_THAT(data.labels, IsEmpty());
}

}  // namespace
}  // namespace models
