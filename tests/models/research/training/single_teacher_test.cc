#include "models/research/training/single_teacher.h"

#include <gmock/gmock.h>

#include <set>

#include "models/research/nets/export_script.h"
#include "models/serving/sha256.h"
#include "tests/models/serving/onnx_files.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class SingleTeacher : public ::testing::Test {
 protected:
  SingleTeacher() {
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
  // Replaces the network.
  void serve(const torch::jit::Module& script) {
    script.save(file_.string());
    manifest_.sha256 = sha256_of(file_);
  }

  ~SingleTeacher() override { std::filesystem::remove(file_); }

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

TEST_F(SingleTeacher, AnswersAsTheNetworkDoesAndHasACacheOfItsOwn) {
  const Teacher teacher = single_teacher(manifest_, "cache");
  EXPECT_EQ(teacher.cache, std::filesystem::path("cache") / manifest_.sha256.substr(0, 16));
  const torch::NoGradGuard no_grad;
  net_->eval();
  const torch::Tensor tiles = torch::rand({3, 1, 8, 8});
  EXPECT_TRUE(teacher.answer(tiles).allclose(net_->forward(tiles), 0, 1e-5));
  EXPECT_TRUE(single_teacher(manifest_, {}).cache.empty());
}

TEST(TeacherIdentity, IsOfTheWeightsAndOfWhatIsReadFromTheirOutput) {
  Manifest manifest;
  manifest.version = "mine-1";
  manifest.sha256 = std::string(64, 'a');
  std::set<std::string> seen = {teacher_identity(manifest)};
  manifest.output_form.key = "logits";
  seen.insert(teacher_identity(manifest));
  manifest.output_form.scores = Scores::probabilities;
  seen.insert(teacher_identity(manifest));
  manifest.sha256 = std::string(64, 'b');  // Of the same version.
  seen.insert(teacher_identity(manifest));
  EXPECT_EQ(seen.size(), 4u);
}

// As torch.jit.trace() of a view() with the size of its example.
TEST_F(SingleTeacher, ATraceWithTheNumberOfTilesBuiltInAnswersOneByOne) {
  torch::jit::Module script("traced");
  script.define("def forward(self, x):\n  return x.reshape(1, -1)[:, :4]\n");
  serve(script);
  const Teacher teacher = single_teacher(manifest_, {});
  const torch::Tensor tiles = torch::rand({3, 1, 8, 8});
  EXPECT_TRUE(teacher.answer(tiles).equal(tiles.flatten(1).slice(1, 0, 4)));
}

// The mean of a tile, found as a small difference of large numbers.
TEST_F(SingleTeacher, ANetworkThatIsWrongInBfloat16AnswersInFloat) {
  EXPECT_TRUE(single_teacher(manifest_, {}, true).bfloat16);
  torch::jit::Module script("steep");
  script.register_buffer("mean", torch::ones({4, 1, 8, 8}) / 64);
  script.define(
      "def forward(self, x):\n"
      "  return torch.conv2d(x + 1000.0, self.mean).flatten(1) - 1000.0\n");
  serve(script);
  EXPECT_FALSE(single_teacher(manifest_, {}, true).bfloat16);
  EXPECT_FALSE(single_teacher(manifest_, {}, false).bfloat16);
}

// A network that ends in a convolution of 1x1, and one that squeezes the answer to one tile.
TEST_F(SingleTeacher, ScoresOfAnyShapeAreOneForEachClass) {
  const torch::Tensor tiles = torch::rand({3, 1, 8, 8});
  for (const char* shape : {"[:, :4].reshape(-1, 4, 1, 1)", "[:, :4].squeeze()"}) {
    torch::jit::Module script("shaped");
    script.define(std::string("def forward(self, x):\n  return x.flatten(1)") + shape + "\n");
    serve(script);
    const Teacher teacher = single_teacher(manifest_, {});
    EXPECT_TRUE(teacher.answer(tiles).equal(tiles.flatten(1).slice(1, 0, 4))) << shape;
  }
}

// Each time the same form: the faster one may be another each time, and one seed must give one
// student.
TEST_F(SingleTeacher, GivesTheSameNumbersEachTime) {
  const torch::Tensor tiles = torch::rand({5, 1, 8, 8});
  const torch::NoGradGuard no_grad;
  EXPECT_TRUE(single_teacher(manifest_, {})
                  .answer(tiles)
                  .equal(single_teacher(manifest_, {}).answer(tiles)));
}

TEST_F(SingleTeacher, MayReturnADictOfProbabilities) {
  torch::jit::Module script("dict");
  script.define(
      "def forward(self, x):\n"
      "  return {'p': torch.softmax(x.flatten(1)[:, :4], 1), 'aux': x.flatten(1)[:, :2]}\n");
  serve(script);
  manifest_.output_form = {.key = "p", .scores = Scores::probabilities};
  const torch::Tensor tiles = torch::rand({3, 1, 8, 8});
  EXPECT_TRUE(single_teacher(manifest_, {})
                  .answer(tiles)
                  .allclose(torch::log_softmax(tiles.flatten(1).slice(1, 0, 4), 1), 0, 1e-5));
}

TEST_F(SingleTeacher, MayBeOnnx) {
  OnnxNet net;
  net.write(file_);
  manifest_.sha256 = sha256_of(file_);
  manifest_.tile = {.width = 8, .height = 8, .channels = 3};
  const torch::Tensor tiles = torch::rand({3, 3, 8, 8});
  const torch::Tensor right =
      torch::conv2d(tiles, torch::from_blob(net.kernel.data(), {4, 3, 3, 3}),
                    torch::from_blob(net.bias.data(), {4}))
          .clamp(0, 6)
          .mean({2, 3});
  const Teacher teacher = single_teacher(manifest_, {});
  EXPECT_TRUE(teacher.answer(tiles).allclose(right, 0, 1e-5));
  EXPECT_FALSE(teacher.bfloat16);
}

TEST_F(SingleTeacher, WeightsOfAnotherHashAreRefused) {
  manifest_.sha256 = std::string(64, '0');
  EXPECT_THAT([&] { single_teacher(manifest_, {}); }, refused("the manifest requires"));
}

TEST_F(SingleTeacher, AnOutputThatIsNotTheClassCountIsRefused) {
  manifest_.class_names.push_back("fifth");
  EXPECT_THAT([&] { single_teacher(manifest_, {}); },
              refused("gives 4 numbers for a tile, but its manifest names 5 classes"));
}

TEST_F(SingleTeacher, ATileThatItDoesNotTakeIsRefused) {
  manifest_.tile.channels = 3;
  EXPECT_THAT([&] { single_teacher(manifest_, {}); }, refused("does not take a 8x8 tile"));
}

TEST_F(SingleTeacher, ACollageCannotTeach) {
  manifest_.kind = Kind::collage;
  EXPECT_THAT([&] { single_teacher(manifest_, {}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("mine: is no single-image model")));
}

}  // namespace
}  // namespace models
