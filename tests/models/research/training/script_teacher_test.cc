#include "models/research/training/script_teacher.h"

#include <gmock/gmock.h>

#include "models/research/nets/export_script.h"
#include "models/serving/sha256.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ScriptTeacher : public ::testing::Test {
 protected:
  ScriptTeacher() {
    export_script(net_, file_);
    const Dataset data = toy_data(1, 1);
    manifest_.name = "mine";
    manifest_.kind = Kind::single;
    manifest_.weights = file_;
    manifest_.sha256 = sha256_of(file_);
    manifest_.version = "single-1";
    manifest_.tile = data.shape;
    manifest_.normalisation = data.normalisation;
    manifest_.class_names = data.class_names;
  }
  ~ScriptTeacher() override { std::filesystem::remove(file_); }

  auto refused(const std::string& what) {
    return ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(what), HasSubstr("teacher.pt")));
  }

  GridNet net_{toy_architecture(1), 1};
  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
       ".teacher.pt");
  Manifest manifest_;
};

TEST_F(ScriptTeacher, AnswersAsTheNetworkDoesAndHasACacheOfItsOwn) {
  const Teacher teacher = script_teacher(manifest_, "cache");
  EXPECT_EQ(teacher.cache, std::filesystem::path("cache/single-1"));
  const torch::NoGradGuard no_grad;
  net_->eval();
  const torch::Tensor tiles = torch::rand({3, 1, 8, 8});
  EXPECT_TRUE(teacher.answer(tiles).allclose(net_->forward(tiles), 0, 1e-5));
  EXPECT_TRUE(script_teacher(manifest_, {}).cache.empty());
}

TEST_F(ScriptTeacher, WeightsOfAnotherHashAreRefused) {
  manifest_.sha256 = std::string(64, '0');
  EXPECT_THAT([&] { script_teacher(manifest_, {}); }, refused("the manifest requires"));
}

TEST_F(ScriptTeacher, AnOutputThatIsNotTheClassCountIsRefused) {
  manifest_.class_names.push_back("fifth");
  EXPECT_THAT([&] { script_teacher(manifest_, {}); },
              refused("gives 4 numbers for a tile, but its manifest names 5 classes"));
}

TEST_F(ScriptTeacher, ATileThatItDoesNotTakeIsRefused) {
  manifest_.tile.channels = 3;
  EXPECT_THAT([&] { script_teacher(manifest_, {}); }, refused("does not take a 8x8 tile"));
}

TEST_F(ScriptTeacher, ACollageCannotTeach) {
  manifest_.kind = Kind::collage;
  EXPECT_THAT([&] { script_teacher(manifest_, {}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("mine: is no single-image model")));
}

}  // namespace
}  // namespace models
