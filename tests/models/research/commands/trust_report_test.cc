#include "models/research/commands/trust_report.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// 500 pictures of class 1, of which the s-CNN has 400 right; `lost` of those the collage, unsure,
// has not.
std::vector<AnswerPair> pairs(int lost) {
  std::vector<AnswerPair> all;
  for (int i = 0; i < 500; ++i) {
    const int single = i < 400 ? 1 : 2;
    const bool wrong = i < lost;
    all.push_back({.single = single,
                   .collage = wrong ? 3 : single,
                   .confidence = wrong ? 0.3 : 0.9,
                   .truth = 1});
  }
  return all;
}

TEST(TrustReport, SaysWhatACollageLosesAndWhichBoundWouldDo) {
  EXPECT_EQ(trust_report(pairs(50), true, "pictures", 0.04),
            "500 pictures (with labels):\n"
            "  the s-CNN is right on      80.00 %      (95 %: 76.27 to 83.27)\n"
            "  the collage is right on    70.00 %      (95 %: 65.84 to 73.85)\n"
            "  the collage loses          10.00 points (95 %: 7.31 to 12.61)\n"
            "  both give the same class   90.00 %      (95 %: 87.06 to 92.33)\n"
            "The collage is NOT good enough to answer for the s-CNN.\n"
            "  It loses 10.00 points; up to 4 are allowed.\n"
            "  Its answers with a probability of 0.900 or more would be, by these pictures:\n"
            "  they are 90.0 % of all, and lose 0.00 points (95 %: -0.43 to 0.43).\n");
}

TEST(TrustReport, CallsACollageGoodThatLosesWhatItMay) {
  const std::string report = trust_report(pairs(20), true, "pictures", 0.04);
  EXPECT_THAT(report, HasSubstr("The collage is good enough to answer for the s-CNN.\n"
                                "  It loses 4.00 points; up to 4 are allowed.\n"
                                "  But with so few pictures it may be up to 5."));
  EXPECT_THAT(trust_report(pairs(20), true, "pictures", 0.06), Not(HasSubstr("But with so few")));
  EXPECT_THAT(trust_report(pairs(21), true, "pictures", 0.04), HasSubstr("NOT good enough"));
}

TEST(TrustReport, SaysSoIfTheCollageIsTheBetter) {
  std::vector<AnswerPair> all = pairs(0);
  for (int i = 400; i < 425; ++i) all[static_cast<std::size_t>(i)].collage = 1;
  EXPECT_THAT(trust_report(all, true, "pictures", 0.04), HasSubstr("  It gains 5.00 points."));
}

TEST(TrustReport, WithoutLabelsTheCollageIsJudgedByTheSingle) {
  std::vector<AnswerPair> all = pairs(50);
  for (AnswerPair& pair : all) pair.truth = pair.single;
  const std::string report = trust_report(all, false, "pictures", 0.04);
  EXPECT_THAT(report,
              HasSubstr("500 pictures (without labels):\n  both give the same class   90."));
  EXPECT_THAT(report, HasSubstr("It gives another class for 10.00 % of the pictures; up to 4"));
  EXPECT_THAT(report, HasSubstr("they are 90.0 % of all, and differ in 0.00 %"));
}

TEST(TrustReport, SaysSoIfNoBoundHelps) {
  std::vector<AnswerPair> all = pairs(100);
  for (AnswerPair& pair : all) pair.confidence = 0.5;
  EXPECT_THAT(trust_report(all, true, "pictures", 0.04),
              HasSubstr("No bound on its probability would make it so."));
}

TEST(TrustJson, HasTheSameFiguresAndNoneThatNobodyKnows) {
  const auto labelled = trust_json(pairs(50), true, 0.04);
  EXPECT_EQ(labelled["pictures"], 500);
  EXPECT_FALSE(labelled["good_enough"]);
  EXPECT_DOUBLE_EQ(labelled["loss"]["value"], 0.1);
  EXPECT_DOUBLE_EQ(labelled["gate"]["answered"], 0.9);
  const auto unlabelled = trust_json(pairs(0), false, 0.04);
  EXPECT_TRUE(unlabelled["good_enough"]);
  EXPECT_TRUE(unlabelled["single_right"].is_null());
  EXPECT_TRUE(unlabelled["loss"].is_null());
  EXPECT_TRUE(unlabelled["gate"].is_null());
  EXPECT_DOUBLE_EQ(unlabelled["agree"]["value"], 1);
}

}  // namespace
}  // namespace models
