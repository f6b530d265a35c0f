// A small ONNX network, written as PyTorch's exporter writes one.
//
//     conv 3x3, 3 to 4 channels -> clip at 0 and 6 -> mean of each channel -> "logits" [1, 4]
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "models/serving/onnx_proto.h"

namespace models {

struct OnnxNet {
  OnnxNet() {
    model.set_ir_version(7);
    model.set_producer_name("pytorch");
    model.add_opset_import()->set_version(13);
    onnx::GraphProto& graph = *model.mutable_graph();
    graph.set_name("net");
    shape(*graph.add_input(), "x", {1, 3, 8, 8});
    shape(*graph.add_output(), "logits", {1, 4});
    for (int i = 0; i < 4 * 3 * 3 * 3; ++i) kernel.push_back(static_cast<float>(i % 7 - 3) / 4);
    bias = {0.5F, -0.25F, 1, 2};
    weights("kernel", {4, 3, 3, 3}, kernel);
    weights("shared", {4}, bias);
    // Bounds that are inputs, and a bias that an Identity hands on.
    constant("low", 0);
    constant("high", 6);
    node("Identity", {"shared"}, "bias");
    node("Conv", {"x", "kernel", "bias"}, "a");
    node("Clip", {"a", "low", "high"}, "b");
    node("GlobalAveragePool", {"b"}, "c");
    node("Flatten", {"c"}, "logits");
  }

  static void shape(onnx::ValueInfoProto& value, const std::string& name,
                    const std::vector<int>& sides) {
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    for (const int side : sides) tensor.mutable_shape()->add_dim()->set_dim_value(side);
  }
  void weights(const std::string& name, const std::vector<int>& sides,
               const std::vector<float>& numbers) {
    onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    for (const int side : sides) tensor.add_dims(side);
    tensor.set_raw_data(numbers.data(), numbers.size() * sizeof(float));
  }
  void constant(const std::string& name, float number) {
    onnx::NodeProto& made = node("Constant", {}, name);
    onnx::AttributeProto& value = *made.add_attribute();
    value.set_name("value");
    value.set_type(onnx::AttributeProto::TENSOR);
    value.mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
    value.mutable_t()->set_raw_data(&number, sizeof number);
  }
  onnx::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs,
                        const std::string& output) {
    onnx::NodeProto& made = *model.mutable_graph()->add_node();
    made.set_name(output);
    made.set_op_type(type);
    for (const std::string& input : inputs) made.add_input(input);
    made.add_output(output);
    return made;
  }
  void write(const std::filesystem::path& file) const {
    std::ofstream out(file, std::ios::binary);
    model.SerializeToOstream(&out);
  }

  onnx::ModelProto model;
  std::vector<float> kernel;
  std::vector<float> bias;
};

}  // namespace models
