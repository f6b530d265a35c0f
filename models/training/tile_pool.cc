#include "models/training/tile_pool.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "models/atomic_file.h"
#include "models/data/feed.h"
#include "models/training/bfloat16.h"
#include "wire/check.h"

namespace models {
namespace {

constexpr std::int64_t kTeacherImages = 128;  // Shown to the teacher at once.

std::span<std::uint8_t> tile_at(std::vector<std::uint8_t>& pixels, const TileShape& shape,
                                std::size_t i) {
  return std::span(pixels).subspan(i * shape.bytes(), shape.bytes());
}

// Says all that the tiles follow from.
std::string name_of(const Dataset& data, const Augmentation& a, const Draw& draw) {
  std::ostringstream out;
  out << data.name << "-" << data.size() << "-seed" << draw.seed << "-pool" << draw.number
      << "-mirror" << a.mirror << "-shift" << a.shift_max << "-erase" << a.erase << "_"
      << a.erase_side_min << "_" << a.erase_side_max << (a.reflect ? "-reflect" : "") << ".pt";
  return out.str();
}

torch::Tensor recall_or_ask(const Teacher& teacher, const Dataset& data,
                            std::span<const std::uint8_t> pixels, const std::string& name,
                            bool bfloat16) {
  if (teacher.answers.empty()) return ask(teacher, data, pixels, bfloat16);
  const std::filesystem::path file = teacher.answers / name;
  torch::Tensor answers;
  if (std::filesystem::exists(file)) {
    try {
      torch::load(answers, file.string());
    } catch (const c10::Error&) {
      throw std::runtime_error(file.string() + ": is damaged; remove it");
    }
    if (answers.dim() == 2 && answers.size(0) == static_cast<std::int64_t>(data.size())) {
      return answers;
    }
  }
  answers = ask(teacher, data, pixels, bfloat16);
  write_by_rename(file, [&](const std::string& part) { torch::save(answers, part); });
  return answers;
}

}  // namespace

torch::Tensor ask(const Teacher& teacher, const Dataset& data, std::span<const std::uint8_t> pixels,
                  bool bfloat16) {
  const torch::NoGradGuard no_grad;
  const Bfloat16Scope scope(bfloat16);
  const auto images = static_cast<std::int64_t>(data.size());
  std::vector<torch::Tensor> answers;
  for (std::int64_t begin = 0; begin < images; begin += kTeacherImages) {
    std::vector<std::int64_t> some(
        static_cast<std::size_t>(std::min(kTeacherImages, images - begin)));
    std::iota(some.begin(), some.end(), begin);
    answers.push_back(teacher.answer(assemble(pixels, data.shape, data.normalisation, some, 1))
                          .to(torch::kFloat));
  }
  return torch::cat(answers);
}

wire::Rng stream_of(std::uint64_t seed, Stream stream, int number) {
  wire::Rng rng(seed);
  const std::uint64_t salt = rng.next();
  return wire::Rng(salt ^
                   (static_cast<std::uint64_t>(number) * 2 + static_cast<std::uint64_t>(stream)));
}

TilePool make_tiles(const Pictures& data, const Augmentation& augmentation, const Teacher& teacher,
                    const Draw& draw) {
  const Dataset& tiles = *data.tiles;
  const Dataset& taught = data.as_taught();
  COLLAGE_CHECK(taught.size() == tiles.size());
  TilePool pool;
  pool.pixels.resize(tiles.pixels.size());
  std::vector<std::uint8_t> large(data.taught == nullptr || !teacher ? 0 : taught.pixels.size());
  wire::Rng rng = stream_of(draw.seed, Stream::tiles, draw.number);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Change change = draw_change(tiles.shape, augmentation, rng);
    apply(change, tiles.tile(i), tile_at(pool.pixels, tiles.shape, i), tiles.shape, rng);
    if (large.empty()) continue;
    apply(change, taught.tile(i), tile_at(large, taught.shape, i), taught.shape, rng);
  }
  if (teacher) {
    pool.teacher = recall_or_ask(teacher, taught, large.empty() ? pool.pixels : large,
                                 name_of(tiles, augmentation, draw), draw.bfloat16);
  }
  return pool;
}

Pools::Pools(const Pictures& data, const PoolPolicy& policy, Teacher teacher)
    : data_(data), policy_(policy), teacher_(std::move(teacher)) {
  COLLAGE_CHECK(policy_.tile_epochs >= 1);
}

const TilePool& Pools::at(int epoch) {
  const int number = epoch / policy_.tile_epochs;
  if (number == number_) return pool_;
  pool_ = make_tiles(data_, policy_.augmentation, teacher_,
                     {.seed = policy_.seed, .number = number, .bfloat16 = policy_.bfloat16});
  number_ = number;
  return pool_;
}

std::vector<int> labels_or_taught(const Pictures& data, const Teacher& teacher) {
  const std::vector<int>& labels = data.tiles->labels;
  if (std::ranges::find(labels, kUnlabelled) == labels.end()) return labels;
  const Dataset& taught = data.as_taught();
  const torch::Tensor best =
      ask(teacher, taught, taught.pixels, false).argmax(1).to(torch::kInt).contiguous();
  const auto* values = best.data_ptr<int>();
  return {values, values + best.numel()};
}

torch::Tensor teacher_of(const TilePool& pool, std::span<const std::int64_t> tilings) {
  if (!pool.teacher.defined()) return {};
  std::vector<std::int64_t> rows(tilings.begin(), tilings.end());
  for (std::int64_t& row : rows) row = std::max<std::int64_t>(row, 0);
  return pool.teacher.index_select(0, torch::tensor(rows));
}

}  // namespace models
