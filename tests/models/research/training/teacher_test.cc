#include "models/research/training/teacher.h"

#include <gmock/gmock.h>

#include "models/research/training/bfloat16.h"
#include "models/research/training/tile_pool.h"
#include "tests/models/research/training/counting_teacher.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class TeacherCache : public ::testing::Test {
 protected:
  TeacherCache() { std::filesystem::remove_all(folder_); }
  ~TeacherCache() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                  ::testing::UnitTest::GetInstance()->current_test_info()->name();
  Dataset data_ = toy_data(50, 1);
};

TEST_F(TeacherCache, SparesTheTeacherTheSecondTime) {
  CountingTeacher counting;
  const Teacher teacher = counting.teacher(folder_);
  const TilePool first = make_tiles({.tiles = &data_}, kShift, teacher, 0);
  const int calls = counting.calls;
  const TilePool second = make_tiles({.tiles = &data_}, kShift, teacher, 0);
  EXPECT_EQ(counting.calls, calls);
  EXPECT_TRUE(first.teacher_logits.equal(second.teacher_logits));
}

TEST_F(TeacherCache, HoldsNoLogitsOfOtherTiles) {
  CountingTeacher counting;
  const Teacher teacher = counting.teacher(folder_);
  make_tiles({.tiles = &data_}, kShift, teacher, 0);
  const int calls = counting.calls;
  PoolPolicy erased = kShift;
  erased.augmentation.erase = 0.25;
  PoolPolicy mixed = kShift;
  mixed.mix = 0.5;
  PoolPolicy seeded = kShift;
  seeded.seed = 2;
  PoolPolicy cropped = kShift;
  cropped.augmentation.crop = 0.5;
  PoolPolicy alternating = kShift;
  alternating.alternate_mirror = true;
  for (const PoolPolicy& other : {erased, mixed, seeded, cropped, alternating}) {
    make_tiles({.tiles = &data_}, other, teacher, 0);
  }
  make_tiles({.tiles = &data_}, kShift, teacher, 1);
  const Dataset others = toy_data(50, 2);
  make_tiles({.tiles = &others}, kShift, teacher, 0);
  EXPECT_EQ(counting.calls, 8 * calls);
}

TEST_F(TeacherCache, ADamagedFileIsNamed) {
  CountingTeacher counting;
  const Teacher teacher = counting.teacher(folder_);
  make_tiles({.tiles = &data_}, kShift, teacher, 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::filesystem::resize_file(entry.path(), 100);
  }
  EXPECT_THAT([&] { make_tiles({.tiles = &data_}, kShift, teacher, 0); },
              ThrowsMessage<std::runtime_error>(HasSubstr("is damaged; remove it")));
}

TEST_F(TeacherCache, AFileOfAnotherShapeIsReplaced) {
  CountingTeacher counting;
  const Teacher teacher = counting.teacher(folder_);
  const auto logits = [&](const Dataset& data) {
    return cached_teacher_logits(teacher, unchanged({&data}), "same.pt", false);
  };
  logits(toy_data(30, 1));
  EXPECT_EQ(logits(data_).size(0), 50);
  EXPECT_EQ(counting.calls, 2);
  EXPECT_TRUE(logits(data_).equal(teacher_logits(teacher, unchanged({&data_}), false)));
}

TEST(TeacherLogits, AreThoseOfEachTileInAsManyPassesAsItsSizeNeeds) {
  CountingTeacher counting;
  Teacher teacher = counting.teacher();
  std::vector<std::size_t> progress;
  teacher.on_progress = [&](std::size_t done, std::size_t whole) {
    EXPECT_EQ(whole, 25u);
    progress.push_back(done);
  };
  const TeacherInput large{.shape = {.width = 224, .height = 224, .channels = 1},
                           .normalisation = {.mean = {0}, .deviation = {1}},
                           .count = 25,
                           .write = [](std::size_t i, std::span<std::uint8_t> out) {
                             std::ranges::fill(out, static_cast<std::uint8_t>(10 * i));
                           }};
  const torch::Tensor logits = teacher_logits(teacher, large, false);
  ASSERT_EQ(logits.size(0), 25);
  for (int i = 0; i < 25; ++i) EXPECT_NEAR(logits[i][0].item<float>(), 10 * i / 255.0, 1e-4) << i;
  EXPECT_THAT(progress, ::testing::ElementsAre(10, 20, 25));
}

TEST(TeacherLogits, AreInFloatOfATeacherThatDoesNotBearLess) {
  Dataset data = toy_data(3, 1);
  bool autocast = false;
  Teacher teacher{.answer =
                      [&](const torch::Tensor& tiles) {
                        autocast = at::autocast::is_cpu_enabled();
                        return tiles.flatten(1);
                      },
                  .cache = {}};
  (void)teacher_logits(teacher, unchanged({&data}), true);
  EXPECT_TRUE(autocast);
  teacher.bfloat16 = false;
  (void)teacher_logits(teacher, unchanged({&data}), true);
  EXPECT_FALSE(autocast);
}

TEST(TeacherClasses, AreNoneWhereLogitsAreNoNumbers) {
  const Dataset data = toy_data(2, 1);
  const Teacher teacher{.answer =
                            [](const torch::Tensor&) {
                              return torch::tensor({{0.0f, 1.0f, 0.0f}, {0.0f, NAN, 9.0f}});
                            },
                        .cache = {}};
  EXPECT_EQ(teacher_classes({&data}, teacher), (std::vector<int>{1, -1}));
}

TEST(LabelsOrTeacherClasses, AreTheTeachersWhereAnyLabelIsMissing) {
  Dataset data = toy_data(5, 1);
  const Teacher always_two{
      .answer =
          [](const torch::Tensor& tiles) {
            return torch::tensor({0.0f, 0.0f, 1.0f, 0.0f}).repeat({tiles.size(0), 1});
          },
      .cache = {}};
  EXPECT_EQ(labels_or_teacher_classes({.tiles = &data}, always_two), data.labels);
  data.labels[3] = kUnlabelled;
  EXPECT_EQ(labels_or_teacher_classes({.tiles = &data}, always_two), std::vector<int>(5, 2));
}

}  // namespace
}  // namespace models
