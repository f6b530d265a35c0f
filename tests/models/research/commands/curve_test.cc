#include "models/research/commands/curve.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

std::vector<CurvePoint> falling_loss(int epochs) {
  std::vector<CurvePoint> points;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double held_back = 0.95 - 0.2 / epoch;
    points.push_back({epoch, 1.5 / epoch, 0.1 / epoch, held_back, held_back});
  }
  return points;
}

// Whether every '&' begins one of the entities that XML knows of itself.
bool has_only_entities(const std::string& text) {
  for (std::size_t at = text.find('&'); at != std::string::npos; at = text.find('&', at + 1)) {
    const std::string rest = text.substr(at);
    if (!rest.starts_with("&amp;") && !rest.starts_with("&lt;") && !rest.starts_with("&gt;")) {
      return false;
    }
  }
  return true;
}

// Whether tags are closed in the order of their opening, with one element around all.
bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while (at < xml.size() && xml[at] == '<') {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string::npos || std::ranges::count(tag, '"') % 2 != 0) return false;
    if (tag.starts_with('/')) {
      if (open.empty() || tag.substr(1) != open.back()) return false;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    at = xml.find('<', end);
    if (open.empty()) return at == std::string::npos && has_only_entities(xml);
  }
  return false;
}

// The vertices of a curve, each "x,y".
std::vector<std::string> vertices(const std::string& svg, const std::string& kind) {
  const std::string head = "class=\"curve " + kind + "\" points=\"";
  const std::size_t begin = svg.find(head);
  if (begin == std::string::npos) return {"no such curve"};
  const std::string points = svg.substr(begin + head.size());
  std::istringstream words(points.substr(0, points.find('"')));
  return {std::istream_iterator<std::string>(words), {}};
}

// No number that was not one.  'nan' stands within no word of the picture.
bool has_nan(std::string svg) {
  std::ranges::transform(svg, svg.begin(), [](unsigned char c) { return std::tolower(c); });
  return svg.find("nan") != std::string::npos || svg.find("inf") != std::string::npos;
}

TEST(CurveSvg, IsWellFormedForAnyNumberOfPoints) {
  for (const int epochs : {0, 1, 2, 7, 400}) {
    const std::string svg = curve_svg(falling_loss(epochs), "fashion_single");
    EXPECT_TRUE(is_well_formed(svg)) << epochs << svg;
    EXPECT_FALSE(has_nan(svg)) << epochs << svg;
    for (const char* kind : {"loss", "accuracy", "rate"}) {
      EXPECT_THAT(vertices(svg, kind), SizeIs(epochs)) << kind;
    }
  }
}

TEST(CurveSvg, IsOfOneSizeAndFollowsTheScheme) {
  EXPECT_THAT(curve_svg({}, ""), AllOf(HasSubstr("width=\"800\" height=\"400\""),
                                       HasSubstr("prefers-color-scheme: dark")));
}

TEST(CurveSvg, TicksAreRoundedAndCoverTheValues) {
  // The loss is 0.75 and 1.5, the accuracy 75 % and 85 %.
  const std::string svg = curve_svg(falling_loss(2), "t");
  for (const char* tick : {">0.6<", ">0.8<", ">1.6<", ">74<", ">76<", ">86<", ">1<", ">2<"}) {
    EXPECT_THAT(svg, HasSubstr(tick));
  }
  EXPECT_THAT(svg, Not(HasSubstr(">0.4<")));
}

TEST(CurveSvg, LossIsReadOnTheLeftAxisAndAccuracyOnTheRight) {
  // The loss fills its axis from 1 to 2, the accuracy its own from 50 % to 100 %.
  const std::vector<CurvePoint> points = {{1, 2.0, 0.1, 0.5, 0.5}, {2, 1.0, 0.05, 1.0, 1.0}};
  const std::string svg = curve_svg(points, "t");
  EXPECT_THAT(vertices(svg, "loss"), ElementsAre("64.0,72.0", "736.0,344.0"));
  EXPECT_THAT(vertices(svg, "accuracy"), ElementsAre("64.0,344.0", "736.0,72.0"));
  EXPECT_THAT(vertices(svg, "rate"), ElementsAre("64.0,72.0", "736.0,208.0"));
}

TEST(CurveSvg, TheLastOfTheBestEpochsIsMarked) {
  const std::vector<CurvePoint> points = {{1, 2, 0.1, 0.5, 0.5},
                                          {2, 1, 0.1, 0.9534, 0.9534},
                                          {3, 1, 0.1, 0.9534, 0.9534},
                                          {4, 1, 0.1, 0.95, 0.9534}};
  const std::string svg = curve_svg(points, "t");
  EXPECT_THAT(svg, AllOf(HasSubstr("best 95.34 %"), HasSubstr("cx=\"512.0\"")));
}

TEST(CurveSvg, ATitleMayHoldMarkup) {
  const std::string svg = curve_svg({}, "<b>R&D");
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;R&amp;D"));
}

TEST(CurveSvg, ValuesThatAreNotFiniteAreLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  auto points = falling_loss(5);
  points[1].loss = nan;
  points[2].loss = inf;
  points[3].learning_rate = nan;
  points[0].held_back = nan;
  const std::string svg = curve_svg(points, "t");
  EXPECT_FALSE(has_nan(svg)) << svg;
  EXPECT_THAT(vertices(svg, "loss"), SizeIs(3));
  EXPECT_THAT(vertices(svg, "rate"), SizeIs(4));
  EXPECT_THAT(vertices(svg, "accuracy"), SizeIs(4));
  for (CurvePoint& point : points) point = {point.epoch, nan, nan, nan, nan};
  EXPECT_FALSE(has_nan(curve_svg(points, "t")));
}

TEST(CurveSvg, ValuesThatAreAllAlikeHaveAnAxisToo) {
  for (const double value : {0.0, 1e-9, 0.5, 1e38}) {
    const std::vector<CurvePoint> points = {{1, value, 0, value, value},
                                            {2, value, 0, value, value}};
    const std::string svg = curve_svg(points, "t");
    EXPECT_TRUE(is_well_formed(svg)) << value;
    EXPECT_FALSE(has_nan(svg)) << svg;
  }
}

class ReadLog : public ::testing::Test {
 protected:
  ReadLog()
      : file_(std::filesystem::path(::testing::TempDir()) /
              ("collage_curve_" + std::to_string(::getpid()) + ".csv")) {}
  ~ReadLog() override { std::filesystem::remove(file_); }

  void write(const std::string& rows) const {
    std::ofstream(file_) << "epoch,loss,learning_rate,held_back_accuracy,best_accuracy,seconds\n"
                         << rows;
  }

  auto fails_with(const std::string& what) const {
    return ThrowsMessage<std::runtime_error>(file_.string() + what);
  }

  const std::filesystem::path file_;
};

TEST_F(ReadLog, GivesEachRow) {
  write("1,1.48569,0.001,0.749,0.749,60.9443\n2,0.815784,1e-05,0.70,0.749,63.6667\n");
  const auto points = read_log(file_);
  ASSERT_THAT(points, SizeIs(2));
  EXPECT_EQ(points[0].epoch, 1);
  EXPECT_DOUBLE_EQ(points[0].loss, 1.48569);
  EXPECT_DOUBLE_EQ(points[1].learning_rate, 1e-5);
  EXPECT_DOUBLE_EQ(points[1].held_back, 0.70);
  EXPECT_DOUBLE_EQ(points[1].best, 0.749);
}

TEST_F(ReadLog, AnEpochThatWasRepeatedReplacesItsEarlierRow) {
  write("1,9,1,0.1,0.1,1\n2,8,1,0.2,0.2,1\n3,7,1,0.3,0.3,1\n2,6,1,0.4,0.4,1\n");
  const auto points = read_log(file_);
  ASSERT_THAT(points, SizeIs(3));
  EXPECT_EQ(points[1].epoch, 2);
  EXPECT_EQ(points[1].loss, 6);
  EXPECT_EQ(points[2].loss, 7);
}

TEST_F(ReadLog, ALossThatDivergedIsReadAndAHeaderAloneHasNoPoints) {
  write("1,nan,0.1,0.1,0.1,1\n2,inf,0.1,0.1,0.1,1\n");
  EXPECT_FALSE(has_nan(curve_svg(read_log(file_), "t")));
  write("");
  EXPECT_THAT(read_log(file_), IsEmpty());
}

TEST_F(ReadLog, AMissingFileIsNamed) {
  EXPECT_THAT([&] { read_log(file_); }, fails_with(": cannot be opened"));
}

TEST_F(ReadLog, AnotherHeaderIsRefused) {
  std::ofstream(file_) << "epoch,loss\n1,2\n";
  EXPECT_THAT([&] { read_log(file_); },
              fails_with(":1: expected the header "
                         "epoch,loss,learning_rate,held_back_accuracy,best_accuracy,seconds"));
  std::ofstream(file_, std::ios::trunc) << "";
  EXPECT_THAT([&] { read_log(file_); }, ThrowsMessage<std::runtime_error>(HasSubstr(":1: ")));
}

TEST_F(ReadLog, ARowThatIsNotSixNumbersIsNamedByItsLine) {
  for (const char* row : {"2,1,1,1,1", "2,1,1,1,1,1,1", "2,1,x,1,1,1", "2,1,1,1,1,1 ", "", "2;1"}) {
    write("1,9,1,0.1,0.1,1\n" + std::string(row) + "\n3,9,1,0.1,0.1,1\n");
    EXPECT_THAT([&] { read_log(file_); }, fails_with(":3: expected six numbers")) << row;
  }
  for (const char* epoch : {"0", "-1", "1.5", "nan", "1e12"}) {
    write(std::string(epoch) + ",9,1,0.1,0.1,1\n");
    EXPECT_THAT([&] { read_log(file_); }, fails_with(":2: expected an epoch from 1")) << epoch;
  }
}

}  // namespace
}  // namespace models
