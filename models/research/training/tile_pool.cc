#include "models/training/tile_pool.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "models/atomic_file.h"
#include "models/data/feed.h"
#include "models/training/bfloat16.h"
#include "wire/check.h"

namespace models {
namespace {

constexpr std::int64_t kTeacherImages = 128;  // Shown to the teacher at once.

// The tiles of one size as they come to be.
class Canvas {
 public:
  explicit Canvas(const Dataset& data) : data_(data), pixels_(data.pixels.size()) {}
  void change(std::size_t i, const Change& change, machine::Rng& noise) {
    apply(change, data_.tile(i), tile(pixels_, i), data_.shape, noise);
  }
  // All have been changed; now some are mixed.
  void keep_unmixed() { unmixed_ = pixels_; }
  void mix(std::size_t onto, std::size_t from, const imaging::Rect& patch) {
    paste(patch, tile(unmixed_, from), tile(pixels_, onto), data_.shape);
  }
  const std::vector<std::uint8_t>& pixels() const { return pixels_; }
  std::vector<std::uint8_t> take() { return std::move(pixels_); }

 private:
  std::span<std::uint8_t> tile(std::vector<std::uint8_t>& pixels, std::size_t i) const {
    return std::span(pixels).subspan(i * data_.shape.bytes(), data_.shape.bytes());
  }

  const Dataset& data_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> unmixed_;
};

// Says all that the tiles follow from.
std::string name_of(const Dataset& data, const PoolPolicy& policy, int number) {
  const Augmentation& a = policy.augmentation;
  std::ostringstream out;
  out << data.name << "-" << data.size() << "-seed" << policy.seed << "-pool" << number << "-mirror"
      << a.mirror << "-shift" << a.shift_max << "-erase" << a.erase << "_" << a.erase_side_min
      << "_" << a.erase_side_max << (a.reflect ? "-reflect" : "");
  if (policy.mix > 0) out << "-mix" << policy.mix;
  out << ".pt";
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

machine::Rng stream_of(std::uint64_t seed, Stream stream, int number) {
  machine::Rng rng(seed);
  const std::uint64_t salt = rng.next();
  return machine::Rng(
      salt ^ (static_cast<std::uint64_t>(number) * 2 + static_cast<std::uint64_t>(stream)));
}

TilePool make_tiles(const Pictures& data, const PoolPolicy& policy, const Teacher& teacher,
                    int number) {
  COLLAGE_CHECK(policy.mix == 0 || teacher);
  const Dataset& tiles = *data.tiles;
  const Dataset& taught = data.as_taught();
  COLLAGE_CHECK(taught.size() == tiles.size());
  Canvas small(tiles);
  std::optional<Canvas> large;
  if (data.taught != nullptr && teacher) large.emplace(taught);
  machine::Rng rng = stream_of(policy.seed, Stream::tiles, number);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const Change change = draw_change(tiles.shape, policy.augmentation, rng);
    small.change(i, change, rng);
    if (large) large->change(i, change, rng);
  }
  TilePool pool;
  pool.labels = tiles.labels;
  if (policy.mix > 0) {
    small.keep_unmixed();
    if (large) large->keep_unmixed();
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      if (!rng.chance(policy.mix)) continue;
      const auto from = static_cast<std::size_t>(rng.below(tiles.size()));
      const imaging::Rect patch = draw_patch(tiles.shape, rng);
      small.mix(i, from, patch);
      if (large) large->mix(i, from, patch);
      pool.labels[i] = kUnlabelled;
    }
  }
  if (teacher) {
    pool.teacher = recall_or_ask(teacher, taught, large ? large->pixels() : small.pixels(),
                                 name_of(tiles, policy, number), policy.bfloat16);
  }
  pool.pixels = small.take();
  return pool;
}

Pools::Pools(const Pictures& data, const PoolPolicy& policy, Teacher teacher)
    : data_(data), policy_(policy), teacher_(std::move(teacher)) {
  COLLAGE_CHECK(policy_.tile_epochs >= 1 && policy_.rotation >= 0);
}

const TilePool& Pools::at(int epoch) {
  const int due = epoch / policy_.tile_epochs;
  const int number = policy_.rotation == 0 ? due : due % policy_.rotation;
  if (number == number_) return pool_;
  pool_ = make_tiles(data_, policy_, teacher_, number);
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
