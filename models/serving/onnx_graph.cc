#include "models/serving/onnx_graph.h"

#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <stdexcept>

#include "models/serving/onnx_proto.h"

namespace models {
namespace {

// Weights and constants by the name of the value that they give; borrowed from the graph.
using Tensors = std::map<std::string, const onnx::TensorProto*>;

Tensors tensors_of(const onnx::GraphProto& graph) {
  Tensors tensors;
  for (const onnx::TensorProto& weights : graph.initializer()) tensors[weights.name()] = &weights;
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type() != "Constant" || node.output_size() != 1) continue;
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.name() == "value") tensors[node.output(0)] = &attribute.t();
    }
  }
  return tensors;
}

// The number of a tensor that has one; nullopt for any other.
std::optional<float> number_of(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::FLOAT) return std::nullopt;
  if (tensor.float_data_size() == 1) return tensor.float_data(0);
  float number = 0;
  if (tensor.raw_data().size() != sizeof number) return std::nullopt;
  std::memcpy(&number, tensor.raw_data().data(), sizeof number);
  return number;
}

void set_attribute(onnx::NodeProto& node, const char* name, float number) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(number);
}

// A Clip whose bounds are not all constant stays as it is, and OpenCV says so.
void give_bounds(onnx::NodeProto& node, const Tensors& tensors) {
  // Input `i`, if there is one: an empty name is none.
  const auto bound = [&](int i) -> std::optional<float> {
    if (node.input_size() <= i || node.input(i).empty()) return std::nullopt;
    const auto tensor = tensors.find(node.input(i));
    return tensor == tensors.end() ? std::nullopt : number_of(*tensor->second);
  };
  const std::optional<float> min = bound(1);
  const std::optional<float> max = bound(2);
  const auto given = [&](int i) { return node.input_size() > i && !node.input(i).empty(); };
  if (given(1) != min.has_value() || given(2) != max.has_value()) return;
  while (node.input_size() > 1) node.mutable_input()->RemoveLast();
  if (min) set_attribute(node, "min", *min);
  if (max) set_attribute(node, "max", *max);
}

// A convolution may leave its kernel's sides to its weights, [out, in, height, width].
void give_kernel(onnx::NodeProto& node, const Tensors& tensors) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == "kernel_shape") return;
  }
  const auto weights = node.input_size() < 2 ? tensors.end() : tensors.find(node.input(1));
  if (weights == tensors.end() || weights->second->dims_size() != 4) return;
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("kernel_shape");
  attribute.set_type(onnx::AttributeProto::INTS);
  attribute.add_ints(weights->second->dims(2));
  attribute.add_ints(weights->second->dims(3));
}

bool hands_on_weights(const onnx::NodeProto& node, const Tensors& tensors) {
  return node.op_type() == "Identity" && node.input_size() == 1 && node.output_size() == 1 &&
         tensors.contains(node.input(0));
}

// `from` becomes `to`, which are not the same; constants stay where `from` has them.
void rewrite(const onnx::GraphProto& from, onnx::GraphProto& to) {
  Tensors tensors = tensors_of(from);
  for (const onnx::NodeProto& node : from.node()) {
    if (hands_on_weights(node, tensors)) {
      onnx::TensorProto& copy = *to.add_initializer();
      copy = *tensors[node.input(0)];
      copy.set_name(node.output(0));
      tensors[node.output(0)] = tensors[node.input(0)];  // Another Identity may hand on this one.
      continue;
    }
    onnx::NodeProto& made = *to.add_node();
    made = node;
    if (node.op_type() == "Clip") give_bounds(made, tensors);
    if (node.op_type() == "Conv") give_kernel(made, tensors);
  }
}

}  // namespace

ReadableOnnx readable_onnx(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file.string() + ": cannot be opened");
  onnx::ModelProto model;
  if (!model.ParseFromIstream(&in) || !model.has_graph()) {
    throw std::runtime_error(file.string() + ": is damaged, or no ONNX file");
  }
  const onnx::GraphProto& graph = model.graph();
  if (graph.output().empty()) throw std::runtime_error(file.string() + ": has no output");
  onnx::ModelProto readable = model;
  readable.mutable_graph()->clear_node();
  rewrite(graph, *readable.mutable_graph());
  ReadableOnnx read{.bytes = readable.SerializeAsString(), .outputs = {}};
  for (const onnx::ValueInfoProto& output : graph.output()) read.outputs.push_back(output.name());
  return read;
}

}  // namespace models
