#include "models/research/training/tile_pool.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include "wire/check.h"

namespace models {
namespace {

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
  const TileShape& shape() const { return data_.shape; }
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

// A patch of tile `from` on tile `onto`, and the share of the tile that it covers.
struct Mix {
  std::size_t onto;
  std::size_t from;
  float share;
};

// Pastes parts of tiles over a share of the `count` tiles, alike at both sizes.  Patches come from
// the unmixed tiles, so that no tile shows more than two pictures.
std::vector<Mix> mix(Canvas& small, std::optional<Canvas>& large, std::size_t count, double share,
                     machine::Rng& rng) {
  std::vector<Mix> mixes;
  small.keep_unmixed();
  if (large) large->keep_unmixed();
  for (std::size_t i = 0; i < count; ++i) {
    if (!rng.chance(share)) continue;
    const auto from = static_cast<std::size_t>(rng.below(count));
    const imaging::Rect patch = draw_patch(small.shape(), rng);
    small.mix(i, from, patch);
    if (large) large->mix(i, from, patch);
    mixes.push_back({i, from, static_cast<float>(patch.width * patch.height)});
  }
  return mixes;
}

// A teacher's logits are a better target for a mixed tile than two labels, so with a teacher a
// mixed tile loses its label.
void label(const std::vector<Mix>& mixes, bool has_teacher, TilePool& pool) {
  if (!has_teacher) pool.pasted.resize(pool.labels.size());
  for (const Mix& mix : mixes) {
    if (has_teacher) {
      pool.labels[mix.onto] = kUnlabelled;
    } else {
      pool.pasted[mix.onto] = {pool.labels[mix.from], mix.share};
    }
  }
}

// The name of the pool's file in the teacher's cache.  Everything that the tiles follow from is
// part of it, so that changed settings never meet the logits of other tiles.
std::string name_of(const Dataset& data, const PoolPolicy& policy, int number) {
  const Augmentation& a = policy.augmentation;
  std::ostringstream out;
  out << data.name << "-" << data.size() << "-seed" << policy.seed << "-pool" << number << "-mirror"
      << a.mirror << "-shift" << a.shift_max << "-erase" << a.erase << "_" << a.erase_side_min
      << "_" << a.erase_side_max << (a.reflect ? "-reflect" : "");
  if (a.crop > 0) out << "-crop" << a.crop << "_" << a.crop_area_min << "_" << a.crop_aspect_max;
  if (policy.alternate_mirror) out << "-alternate";
  if (policy.mix > 0) out << "-mix" << policy.mix;
  out << ".pt";
  return out.str();
}

}  // namespace

machine::Rng stream_of(std::uint64_t seed, Stream stream, int number) {
  machine::Rng rng(seed);
  const std::uint64_t salt = rng.next();
  return machine::Rng(
      salt ^ (static_cast<std::uint64_t>(number) * 2 + static_cast<std::uint64_t>(stream)));
}

TilePool make_tiles(const Pictures& data, const PoolPolicy& policy, const Teacher& teacher,
                    int number) {
  const Dataset& tiles = *data.tiles;
  const Dataset& teacher_tiles = data.for_teacher();
  COLLAGE_CHECK(teacher_tiles.size() == tiles.size());
  Canvas small(tiles);
  std::optional<Canvas> large;
  if (data.teacher_tiles != nullptr && teacher) large.emplace(teacher_tiles);
  machine::Rng rng = stream_of(policy.seed, Stream::tiles, number);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    Change change = draw_change(tiles.shape, policy.augmentation, rng);
    if (policy.alternate_mirror) change.mirror = (i + static_cast<std::size_t>(number)) % 2 == 1;
    small.change(i, change, rng);
    if (large) large->change(i, change, rng);
  }
  TilePool pool;
  pool.labels = tiles.labels;
  if (policy.mix > 0) {
    label(mix(small, large, tiles.size(), policy.mix, rng), static_cast<bool>(teacher), pool);
  }
  if (teacher) {
    pool.teacher_logits =
        cached_teacher_logits(teacher, teacher_tiles, large ? large->pixels() : small.pixels(),
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

torch::Tensor teacher_logits_of(const TilePool& pool, std::span<const std::int64_t> tilings) {
  if (!pool.teacher_logits.defined()) return {};
  std::vector<std::int64_t> rows(tilings.begin(), tilings.end());
  for (std::int64_t& row : rows) row = std::max<std::int64_t>(row, 0);
  return pool.teacher_logits.index_select(0, torch::tensor(rows));
}

}  // namespace models
