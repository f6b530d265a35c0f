#include "models/research/training/trainer.h"

#include <gmock/gmock.h>

#include "models/research/training/tile_task.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Chance is a quarter; what a toy learns beyond nine tenths depends on the processor's rounding.
class Trainer : public ::testing::Test {
 protected:
  Trainer()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(folder_);
    at::set_num_threads(1);
    descent_.epochs = 4;
    policy_.batch_images = 32;
    policy_.pool.bfloat16 = false;
    policy_.pool.augmentation = {.mirror = 0, .shift_max = 1, .erase = 0};
  }
  ~Trainer() override { std::filesystem::remove_all(folder_); }

  // Trains up to `stop_after` epochs of the descent, as if interrupted there.
  double run(GridNet& net, const std::string& name, int stop_after = 1000) {
    struct Interrupted {};
    const Hooks hooks{
        .seconds = [] { return 0.0; },
        .on_epoch =
            [&](const EpochReport& r) {
              reports_.push_back(r);
              if (after_epoch_) after_epoch_();
              if (r.epoch == stop_after) throw Interrupted{};
            },
        .on_progress = [&](int epoch, double share) { progress_.emplace_back(epoch, share); }};
    TileTask task({.tiles = &data_}, {.tiles = &held_back_}, net->architecture().grid, policy_,
                  teacher_);
    try {
      return train(net, task, descent_, "toy", folder_ / name, hooks);
    } catch (const Interrupted&) {
      return 0;
    }
  }

  // A single that knows the toy task.
  Teacher trained_teacher() {
    GridNet net(toy_architecture(1), 1);
    run(net, "teacher");
    net->eval();
    return {.answer = [net](const torch::Tensor& tiles) mutable { return net->forward(tiles); },
            .cache = {}};
  }

  static bool same(GridNet& a, GridNet& b) {
    const auto left = a->parameters();
    const auto right = b->parameters();
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!left[i].equal(right[i])) return false;
    }
    return true;
  }

  std::filesystem::path folder_;
  Dataset data_ = toy_data(640, 1);
  Dataset held_back_ = toy_data(200, 2);
  Descent descent_;
  TilePolicy policy_;
  Teacher teacher_;
  std::vector<EpochReport> reports_;
  std::vector<std::pair<int, double>> progress_;
  std::function<void()> after_epoch_;
};

TEST_F(Trainer, ASingleLearnsAToyTask) {
  GridNet net(toy_architecture(1), 1);
  EXPECT_GT(run(net, "run"), 0.9);
  EXPECT_EQ(reports_.size(), 4u);
}

TEST_F(Trainer, ACollageWithBlankSlotsLearnsItInEveryCell) {
  policy_.batch_images = 36;
  policy_.partial_share = 0.2;
  descent_.epochs = 10;
  GridNet net(toy_architecture(3), 1);
  EXPECT_GT(run(net, "run"), 0.9);
}

TEST_F(Trainer, ADetectHeadLearnsItByBoxes) {
  policy_.batch_images = 32;
  policy_.partial_share = 0.2;
  descent_.epochs = 40;
  descent_.learning_rate = 0.02;
  Architecture a = toy_architecture(2);
  a.head = Head::detect;
  GridNet net(a, 1);
  EXPECT_GT(run(net, "run"), 0.9);
}

TEST_F(Trainer, ACollageLearnsFromATeacherAlone) {
  teacher_ = trained_teacher();
  policy_.loss.distill_share = 1;
  policy_.pool.tile_epochs = 2;
  descent_.epochs = 10;
  std::ranges::fill(data_.labels, 0);  // Its labels would teach nothing but class 0.
  GridNet net(toy_architecture(2), 2);
  EXPECT_GT(run(net, "student"), 0.9);
}

TEST_F(Trainer, ACollageLearnsFromPicturesWithoutLabelsAndIsValidatedByItsTeacher) {
  teacher_ = trained_teacher();
  policy_.loss.distill_share = 0.5;
  descent_.epochs = 10;
  const std::vector<int> truths = held_back_.labels;
  std::ranges::fill(data_.labels, kUnlabelled);
  std::ranges::fill(held_back_.labels, kUnlabelled);
  GridNet net(toy_architecture(2), 2);
  EXPECT_GT(run(net, "student"), 0.9);
  EXPECT_GT(accuracy_of(logits_of(net, held_back_, 1), truths), 0.9);
}

TEST_F(Trainer, WhatIsLeftInTheNetworkIsItsBestEpoch) {
  GridNet net(toy_architecture(1), 1);
  after_epoch_ = [&] {  // Spoils what the last epoch left.
    const torch::NoGradGuard no_grad;
    if (reports_.size() == 4) net->parameters().front().zero_();
  };
  const double best = run(net, "run");
  EXPECT_GT(best, 0.9);
  EXPECT_EQ(accuracy_of(logits_of(net, held_back_, policy_.pool.seed), held_back_.labels), best);
}

// Few pictures are soon all right, long before the rate has fallen.
TEST_F(Trainer, OfEpochsThatAreEquallyGoodTheLastIsKept) {
  held_back_ = toy_data(1, 2);
  policy_.loss.label_smoothing = 0;
  std::vector<torch::Tensor> last;
  GridNet net(toy_architecture(1), 1);
  after_epoch_ = [&] {
    last.clear();
    for (const torch::Tensor& p : net->parameters()) last.push_back(p.detach().clone());
  };
  ASSERT_EQ(run(net, "run"), 1);
  ASSERT_EQ(reports_[2].held_back, 1);
  const auto kept = net->parameters();
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(kept[i].equal(last[i]));
}

TEST_F(Trainer, TellsOfTheBeginningAndTheEndOfAnEpochHoweverShort) {
  descent_.epochs = 2;
  policy_.batch_images = 320;  // Two steps.
  GridNet net(toy_architecture(1), 1);
  run(net, "run");
  EXPECT_THAT(progress_,
              ::testing::ElementsAre(std::pair(1, 0.0), std::pair(1, 0.5), std::pair(1, 1.0),
                                     std::pair(2, 0.0), std::pair(2, 0.5), std::pair(2, 1.0)));
}

TEST_F(Trainer, OneSeedRepeatsOnOneThread) {
  descent_.epochs = 2;
  GridNet first(toy_architecture(2), 1);
  GridNet second(toy_architecture(2), 1);
  run(first, "first");
  run(second, "second");
  EXPECT_TRUE(same(first, second));
  policy_.pool.seed = 2;
  GridNet third(toy_architecture(2), 1);
  run(third, "third");
  EXPECT_FALSE(same(first, third));
}

TEST_F(Trainer, AnInterruptedRunGoesOnAsIfItHadNotBeen) {
  GridNet whole(toy_architecture(2), 1);
  GridNet before(toy_architecture(2), 1);
  GridNet after(toy_architecture(2), 7);  // Its own weights give way to the checkpoint's.
  const double uninterrupted = run(whole, "whole");
  run(before, "parts", 2);
  reports_.clear();
  EXPECT_EQ(run(after, "parts"), uninterrupted);
  EXPECT_EQ(reports_.front().epoch, 3);
  EXPECT_TRUE(same(whole, after));
}

TEST_F(Trainer, AnAverageOfTheWeightsIsValidatedAndOutlivesAnInterruption) {
  descent_.average = 0.9;
  descent_.decay = Descent::Decay::linear;
  policy_.pool.alternate_mirror = true;
  policy_.pool.mix = 0.3;
  GridNet whole(toy_architecture(1), 1);
  GridNet before(toy_architecture(1), 1);
  GridNet after(toy_architecture(1), 7);
  const double uninterrupted = run(whole, "whole");
  const std::vector<EpochReport> all = std::exchange(reports_, {});
  run(before, "parts", 2);
  EXPECT_EQ(run(after, "parts"), uninterrupted);
  ASSERT_EQ(reports_.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(reports_[i].loss, all[i].loss);
    EXPECT_EQ(reports_[i].learning_rate, all[i].learning_rate);
    EXPECT_EQ(reports_[i].held_back, all[i].held_back);
  }
  EXPECT_TRUE(same(whole, after));
  EXPECT_GT(uninterrupted, 0.4);
}

TEST_F(Trainer, TheAverageOfEarlyStepsDiffersFromTheirLastWeights) {
  descent_.epochs = 1;
  GridNet plain(toy_architecture(1), 1);
  run(plain, "plain");
  descent_.average = 0.9;
  GridNet averaged(toy_architecture(1), 1);
  run(averaged, "averaged");
  EXPECT_FALSE(same(plain, averaged));
}

TEST_F(Trainer, ALinearDecayFallsEvenlyFromThePeak) {
  descent_.decay = Descent::Decay::linear;
  descent_.warm_up = 0.25;
  descent_.learning_rate = 0.08;
  GridNet net(toy_architecture(1), 1);
  run(net, "run");
  ASSERT_EQ(reports_.size(), 4u);
  EXPECT_NEAR(reports_[1].learning_rate, 0.08, 1e-9);
  EXPECT_NEAR(reports_[2].learning_rate, 0.08 * 2 / 3, 1e-9);
  EXPECT_NEAR(reports_[3].learning_rate, 0.08 / 3, 1e-9);
}

TEST_F(Trainer, ACheckpointOfAnotherDescentIsRefused) {
  GridNet net(toy_architecture(2), 1);
  run(net, "run", 1);
  const Descent before = descent_;
  descent_.weight_decay *= 2;
  EXPECT_THAT([&] { run(net, "run"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("another run")));
  descent_ = before;
  descent_.decay = Descent::Decay::linear;
  EXPECT_THAT([&] { run(net, "run"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("another run")));
}

TEST_F(Trainer, ACheckpointWithoutAnAverageIsRefusedWhereOneIsKept) {
  GridNet net(toy_architecture(2), 1);
  run(net, "run", 1);
  descent_.average = 0.9;
  EXPECT_THAT([&] { run(net, "run"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("another run")));
}

TEST_F(Trainer, ACheckpointOfAnotherArchitectureIsRefused) {
  GridNet net(toy_architecture(2), 1);
  run(net, "run", 1);
  GridNet other(toy_architecture(3), 1);
  EXPECT_THAT([&] { run(other, "run"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("another run")));
}

TEST_F(Trainer, ADamagedCheckpointIsNamed) {
  GridNet net(toy_architecture(2), 1);
  run(net, "run", 1);
  const auto file = folder_ / "run" / "checkpoint.pt";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_THAT([&] { run(net, "run"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("checkpoint.pt: is damaged")));
}

TEST_F(Trainer, TooFewPicturesForAStepAreRefused) {
  data_ = toy_data(20, 1);
  GridNet net(toy_architecture(1), 1);
  EXPECT_THAT([&] { run(net, "run"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("fewer images")));
}

TEST(AccuracyOf, ARowThatIsNoAnswerIsWrong) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const torch::Tensor logits = torch::tensor({{1.0f, 0.0f}, {nan, nan}, {0.0f, 1.0f}});
  EXPECT_NEAR(accuracy_of(logits, std::vector<int>{0, 0, 1}), 2.0 / 3, 1e-12);
}

}  // namespace
}  // namespace models
