// An ONNX file in the dialect that OpenCV 4.6 reads.
//
// OpenCV does not read two things that PyTorch's exporter writes: a Clip (as of ReLU6) whose bounds
// are inputs, as ONNX has them since its operators' version 11, and weights that several nodes
// share and that an Identity hands on.  Both can be said otherwise with the same meaning.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace models {

struct ReadableOnnx {
  std::string bytes;
  std::vector<std::string> outputs;  // Their names, in the order of the file.
};

// The file with every Clip's constant bounds and every convolution's kernel as attributes, and
// every Identity of weights replaced by weights.  Throws std::runtime_error naming the file if it
// cannot be read, is damaged or has no output.
ReadableOnnx readable_onnx(const std::filesystem::path& file);

}  // namespace models
