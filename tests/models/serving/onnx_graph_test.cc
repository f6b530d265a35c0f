#include "models/serving/onnx_graph.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/models/serving/onnx_files.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class OnnxGraph : public ::testing::Test {
 protected:
  ~OnnxGraph() override { std::filesystem::remove(file_); }

  onnx::GraphProto readable() {
    net.write(file_);
    onnx::ModelProto model;
    EXPECT_TRUE(model.ParseFromString(readable_onnx(file_).bytes));
    return model.graph();
  }

  // The node that gives a value.
  static onnx::NodeProto node(const onnx::GraphProto& graph, const std::string& output) {
    const auto found =
        std::ranges::find_if(graph.node(), [&](const auto& n) { return n.output(0) == output; });
    EXPECT_NE(found, graph.node().end()) << output;
    return found == graph.node().end() ? onnx::NodeProto() : *found;
  }

  static std::vector<float> numbers(const onnx::NodeProto& node) {
    std::vector<float> out;
    for (const auto& attribute : node.attribute()) out.push_back(attribute.f());
    return out;
  }

  OnnxNet net;
  const std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".onnx");
};

TEST_F(OnnxGraph, BoundsOfAClipBecomeAttributes) {
  const onnx::NodeProto clip = node(readable(), "b");
  EXPECT_THAT(clip.input(), ElementsAre("a"));
  EXPECT_THAT(numbers(clip), ElementsAre(0, 6));
}

TEST_F(OnnxGraph, AClipMayHaveOneBound) {
  net.node("Clip", {"b", "", "high"}, "upper");
  net.node("Clip", {"b", "low"}, "lower");
  const onnx::GraphProto graph = readable();
  const onnx::NodeProto upper = node(graph, "upper");
  EXPECT_EQ(upper.attribute(0).name(), "max");
  EXPECT_THAT(numbers(upper), ElementsAre(6));
  EXPECT_EQ(node(graph, "lower").attribute(0).name(), "min");
}

TEST_F(OnnxGraph, AClipWhoseBoundIsComputedStaysAsItIs) {
  net.node("Clip", {"b", "low", "c"}, "d");
  const onnx::NodeProto clip = node(readable(), "d");
  EXPECT_THAT(clip.input(), ElementsAre("b", "low", "c"));
  EXPECT_EQ(clip.attribute_size(), 0);
}

TEST_F(OnnxGraph, WeightsThatAreHandedOnBecomeWeights) {
  net.node("Identity", {"bias"}, "again");
  const onnx::GraphProto graph = readable();
  std::vector<std::string> names;
  for (const auto& weights : graph.initializer()) {
    names.push_back(weights.name());
    if (weights.name() == "again") {
      EXPECT_EQ(weights.raw_data(), graph.initializer(1).raw_data());
    }
  }
  EXPECT_THAT(names, ElementsAre("kernel", "shared", "bias", "again"));
  for (const auto& one : graph.node()) EXPECT_NE(one.op_type(), "Identity");
}

TEST_F(OnnxGraph, AnIdentityOfAValueStays) {
  net.node("Identity", {"logits"}, "same");
  EXPECT_EQ(node(readable(), "same").op_type(), "Identity");
}

TEST_F(OnnxGraph, AConvolutionSaysItsKernel) {
  const onnx::NodeProto conv = node(readable(), "a");
  ASSERT_EQ(conv.attribute_size(), 1);
  EXPECT_EQ(conv.attribute(0).name(), "kernel_shape");
  EXPECT_THAT(conv.attribute(0).ints(), ElementsAre(3, 3));
}

TEST_F(OnnxGraph, OutputsAreNamedInTheirOrder) {
  OnnxNet::shape(*net.model.mutable_graph()->add_output(), "b", {1, 4, 6, 6});
  OnnxNet::shape(*net.model.mutable_graph()->add_output(), "a", {1, 4, 6, 6});
  net.write(file_);
  EXPECT_THAT(readable_onnx(file_).outputs, ElementsAre("logits", "b", "a"));
}

TEST_F(OnnxGraph, WhatIsNoOnnxIsRefused) {
  const auto refused = [&](const std::string& what) {
    EXPECT_THAT([&] { readable_onnx(file_); },
                ThrowsMessage<std::runtime_error>(HasSubstr(file_.string() + ": " + what)));
  };
  refused("cannot be opened");
  std::ofstream(file_) << "\xff\xff no ONNX";
  refused("is damaged, or no ONNX file");
  net.model.mutable_graph()->clear_output();
  net.write(file_);
  refused("has no output");
}

}  // namespace
}  // namespace models
