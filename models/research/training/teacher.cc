#include "models/research/training/teacher.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "models/research/atomic_file.h"
#include "models/research/data/batch_tensors.h"
#include "models/research/training/bfloat16.h"

namespace models {
namespace {

// Images in one forward pass; bounds the memory that the activations of a large teacher take.
constexpr std::int64_t kBatchImages = 128;

}  // namespace

torch::Tensor teacher_logits(const Teacher& teacher, const Dataset& data,
                             std::span<const std::uint8_t> pixels, bool bfloat16) {
  const torch::NoGradGuard no_grad;
  const Bfloat16Scope scope(bfloat16);
  const auto images = static_cast<std::int64_t>(data.size());
  std::vector<torch::Tensor> logits;
  for (std::int64_t begin = 0; begin < images; begin += kBatchImages) {
    std::vector<std::int64_t> some(
        static_cast<std::size_t>(std::min(kBatchImages, images - begin)));
    std::iota(some.begin(), some.end(), begin);
    logits.push_back(teacher.answer(assemble(pixels, data.shape, data.normalisation, some, 1))
                         .to(torch::kFloat));
  }
  return torch::cat(logits);
}

torch::Tensor cached_teacher_logits(const Teacher& teacher, const Dataset& data,
                                    std::span<const std::uint8_t> pixels, const std::string& name,
                                    bool bfloat16) {
  if (teacher.cache.empty()) return teacher_logits(teacher, data, pixels, bfloat16);
  const std::filesystem::path file = teacher.cache / name;
  torch::Tensor logits;
  if (std::filesystem::exists(file)) {
    try {
      torch::load(logits, file.string());
    } catch (const c10::Error&) {
      throw std::runtime_error(file.string() + ": is damaged; remove it");
    }
    // A file with other rows is not of these tiles; it is replaced below.
    if (logits.dim() == 2 && logits.size(0) == static_cast<std::int64_t>(data.size())) {
      return logits;
    }
  }
  logits = teacher_logits(teacher, data, pixels, bfloat16);
  write_by_rename(file, [&](const std::string& part) { torch::save(logits, part); });
  return logits;
}

std::vector<int> labels_or_teacher_classes(const Pictures& data, const Teacher& teacher) {
  const std::vector<int>& labels = data.tiles->labels;
  if (std::ranges::find(labels, kUnlabelled) == labels.end()) return labels;
  const Dataset& tiles = data.for_teacher();
  const torch::Tensor best =
      teacher_logits(teacher, tiles, tiles.pixels, false).argmax(1).to(torch::kInt).contiguous();
  const auto* values = best.data_ptr<int>();
  return {values, values + best.numel()};
}

}  // namespace models
