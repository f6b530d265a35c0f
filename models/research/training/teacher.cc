#include "models/research/training/teacher.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "models/research/atomic_file.h"
#include "models/research/data/batch_tensors.h"
#include "models/research/training/bfloat16.h"
#include "wire/check.h"

namespace models {
namespace {

// Pixels and tiles of one forward pass; they bound the memory that the activations of a large
// teacher take: ten pictures of 224x224, of which ResNet-50 takes 0.5 GB.
constexpr std::size_t kBatchPixels = 128 * 64 * 64;
constexpr std::size_t kBatchTiles = 128;

std::size_t batch_of(const TileShape& shape) {
  const auto pixels = static_cast<std::size_t>(shape.width * shape.height);
  return std::clamp<std::size_t>(kBatchPixels / pixels, 1, kBatchTiles);
}

}  // namespace

TeacherInput unchanged(const Pictures& pictures) {
  const Dataset& data = *pictures.tiles;
  if (const TeacherTiles* large = pictures.teacher_tiles) {
    COLLAGE_CHECK(data.in_file.size() == data.size());
    return {.shape = large->shape,
            .normalisation = large->normalisation,
            .count = data.size(),
            .write = [&data, large](std::size_t i, std::span<std::uint8_t> out) {
              large->file.read(data.in_file[i], out);
            }};
  }
  return {.shape = data.shape,
          .normalisation = data.normalisation,
          .count = data.size(),
          .write = [&data](std::size_t i, std::span<std::uint8_t> out) {
            std::ranges::copy(data.tile(i), out.begin());
          }};
}

torch::Tensor teacher_logits(const Teacher& teacher, const TeacherInput& input, bool bfloat16) {
  const torch::NoGradGuard no_grad;
  const Bfloat16Scope scope(bfloat16 && teacher.bfloat16);
  const std::size_t batch = batch_of(input.shape);
  const std::size_t bytes = input.shape.bytes();
  std::vector<std::uint8_t> pixels(batch * bytes);
  std::vector<torch::Tensor> logits;
  for (std::size_t begin = 0; begin < input.count; begin += batch) {
    std::vector<std::int64_t> some(std::min(batch, input.count - begin));
    std::iota(some.begin(), some.end(), std::int64_t{0});
    for (std::size_t i = 0; i < some.size(); ++i) {
      input.write(begin + i, std::span(pixels).subspan(i * bytes, bytes));
    }
    logits.push_back(teacher.answer(assemble(pixels, input.shape, input.normalisation, some, 1))
                         .to(torch::kFloat));
    if (teacher.on_progress) teacher.on_progress(begin + some.size(), input.count);
  }
  return torch::cat(logits);
}

torch::Tensor cached_teacher_logits(const Teacher& teacher, const TeacherInput& input,
                                    const std::string& name, bool bfloat16) {
  if (teacher.cache.empty()) return teacher_logits(teacher, input, bfloat16);
  const std::filesystem::path file = teacher.cache / name;
  torch::Tensor logits;
  if (std::filesystem::exists(file)) {
    try {
      torch::load(logits, file.string());
    } catch (const c10::Error&) {
      throw std::runtime_error(file.string() + ": is damaged; remove it");
    }
    // A file with other rows is not of these tiles; it is replaced below.
    if (logits.dim() == 2 && logits.size(0) == static_cast<std::int64_t>(input.count)) {
      return logits;
    }
  }
  logits = teacher_logits(teacher, input, bfloat16);
  write_by_rename(file, [&](const std::string& part) { torch::save(logits, part); });
  return logits;
}

std::vector<int> teacher_classes(const Pictures& data, const Teacher& teacher) {
  const torch::Tensor logits = teacher_logits(teacher, unchanged(data), false);
  const torch::Tensor best = logits.argmax(1)
                                 .masked_fill(logits.isfinite().all(1).logical_not(), -1)
                                 .to(torch::kInt)
                                 .contiguous();
  const auto* values = best.data_ptr<int>();
  return {values, values + best.numel()};
}

std::vector<int> labels_or_teacher_classes(const Pictures& data, const Teacher& teacher) {
  const std::vector<int>& labels = data.tiles->labels;
  const bool all = std::ranges::find(labels, kUnlabelled) == labels.end();
  return all ? labels : teacher_classes(data, teacher);
}

}  // namespace models
