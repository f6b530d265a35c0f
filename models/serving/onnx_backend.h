// ONNX, run by OpenCV's dnn module, which LibTorch depends on in Debian and which therefore costs
// nothing more.
//
// OpenCV merges layers when it loads a network (fused); as with TorchScript, that is served only if
// it answers probes as the plain network does.
#pragma once

#include <filesystem>
#include <memory>

#include "models/serving/backend.h"

namespace models {

// Whether a file begins as ONNX does.
bool is_onnx(const std::filesystem::path& file);

// Loads manifest.weights and sets OpenCV, for the whole process, to one thread and no log of its
// own.  Throws std::runtime_error with one line that names the file: not of the manifest's hash,
// layers that OpenCV does not know, an input of another shape, no output of the manifest's name, or
// numbers that are not finite.
std::unique_ptr<Backend> load_onnx_backend(const Manifest& manifest, const Probes& probes);

}  // namespace models
