#include "models/tile_pool.h"

#include <algorithm>
#include <numeric>

#include "models/feed.h"

namespace models {
namespace {

constexpr std::int64_t kTeacherImages = 128;  // Shown to the teacher at once.

torch::Tensor ask(const Teacher& teacher, const Dataset& data,
                  std::span<const std::uint8_t> pixels) {
  const torch::NoGradGuard no_grad;
  const auto images = static_cast<std::int64_t>(data.size());
  std::vector<torch::Tensor> answers;
  for (std::int64_t begin = 0; begin < images; begin += kTeacherImages) {
    std::vector<std::int64_t> some(
        static_cast<std::size_t>(std::min(kTeacherImages, images - begin)));
    std::iota(some.begin(), some.end(), begin);
    answers.push_back(teacher(assemble(pixels, data.shape, data.normalisation, some, 1)));
  }
  return torch::cat(answers);
}

}  // namespace

TilePool make_tiles(const Dataset& data, const Augmentation& augmentation, const Teacher& teacher,
                    wire::Rng rng) {
  TilePool pool;
  pool.pixels.resize(data.pixels.size());
  const std::size_t bytes = data.shape.bytes();
  for (std::size_t i = 0; i < data.size(); ++i) {
    augment(data.tile(i), std::span(pool.pixels).subspan(i * bytes, bytes), data.shape,
            augmentation, rng);
  }
  if (teacher) pool.teacher = ask(teacher, data, pool.pixels);
  return pool;
}

torch::Tensor teacher_of(const TilePool& pool, std::span<const std::int64_t> tilings) {
  if (!pool.teacher.defined()) return {};
  std::vector<std::int64_t> rows(tilings.begin(), tilings.end());
  for (std::int64_t& row : rows) row = std::max<std::int64_t>(row, 0);
  return pool.teacher.index_select(0, torch::tensor(rows));
}

}  // namespace models
