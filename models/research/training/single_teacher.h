// A single, TorchScript or ONNX, as a teacher.
#pragma once

#include <filesystem>
#include <string>

#include "models/research/training/teacher.h"
#include "models/serving/manifest.h"
#include "models/serving/serving_policy.h"

namespace models {

// What tells the answers of one s-CNN from those of another: its weights, and which of its outputs
// is read and how.  A line without spaces.
std::string teacher_identity(const Manifest& manifest);

// Loads the weights that the manifest names.  `cache` is the folder for cached logits, in which
// each s-CNN gets a folder of its own; empty for no cache.  Throws std::runtime_error with
// one line that names the file: not a single, weights missing, not of the manifest's hash, neither
// TorchScript nor ONNX, or an output that is not one logit for each class.  With `try_bfloat16` two
// tiles show whether it may answer in bfloat16, which takes long on a processor without that.
Teacher single_teacher(const Manifest& manifest, const std::filesystem::path& cache,
                       bool try_bfloat16 = computes_bfloat16());

}  // namespace models
