#include "models/research/training/tile_pool.h"

#include <algorithm>
#include <optional>
#include <sstream>

#include "wire/check.h"

namespace models {
namespace {

// The tiles of a pool at their own size, all in memory.
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
  std::vector<std::uint8_t> take() { return std::move(pixels_); }

 private:
  std::span<std::uint8_t> tile(std::vector<std::uint8_t>& pixels, std::size_t i) const {
    return std::span(pixels).subspan(i * data_.shape.bytes(), data_.shape.bytes());
  }

  const Dataset& data_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> unmixed_;
};

// A patch of tile `from` on tile `onto`.
struct Mix {
  std::size_t onto;
  std::size_t from;
  imaging::Rect patch;
  // Of the tile's area.
  float share() const { return static_cast<float>(patch.width * patch.height); }
};

// Which of the `count` tiles, a share of them, have a part of another pasted over them.
std::vector<Mix> draw_mixes(const TileShape& shape, std::size_t count, double share,
                            machine::Rng& rng) {
  std::vector<Mix> mixes;
  for (std::size_t i = 0; i < count; ++i) {
    if (!rng.chance(share)) continue;
    const auto from = static_cast<std::size_t>(rng.below(count));
    mixes.push_back({i, from, draw_patch(shape, rng)});
  }
  return mixes;
}

// Patches come from the unmixed tiles, so that no tile shows more than two pictures.
void mix(Canvas& canvas, const std::vector<Mix>& mixes) {
  canvas.keep_unmixed();
  for (const Mix& mix : mixes) canvas.mix(mix.onto, mix.from, mix.patch);
}

// The pictures at the teacher's size, changed and mixed as the tiles were.  They are made again
// each time, one by one: a pool of them may be too large for memory.
class TeacherCanvas {
 public:
  TeacherCanvas(const Pictures& data, std::vector<Change> changes, const std::vector<Mix>& mixes,
                std::uint64_t noise_seed)
      : data_(unchanged(data)),
        changes_(std::move(changes)),
        mixes_(data_.count),
        noise_seed_(noise_seed),
        other_(data_.shape.bytes()) {
    for (const Mix& mix : mixes) mixes_[mix.onto] = mix;
  }

  // Borrows this.
  TeacherInput input() {
    return {.shape = data_.shape,
            .normalisation = data_.normalisation,
            .count = data_.count,
            .write = [this](std::size_t i, std::span<std::uint8_t> out) { write(i, out); }};
  }

 private:
  void write(std::size_t i, std::span<std::uint8_t> out) {
    write_unmixed(i, out);
    if (!mixes_[i]) return;
    write_unmixed(mixes_[i]->from, other_);
    paste(mixes_[i]->patch, other_, out, data_.shape);
  }

  void write_unmixed(std::size_t i, std::span<std::uint8_t> out) {
    std::vector<std::uint8_t> picture(data_.shape.bytes());
    data_.write(i, picture);
    // A generator for each tile: it gets the same noise whenever it is made.
    machine::Rng noise(noise_seed_ ^ (i + 1));
    apply(changes_[i], picture, out, data_.shape, noise);
  }

  TeacherInput data_;
  std::vector<Change> changes_;
  std::vector<std::optional<Mix>> mixes_;  // One for each tile.
  std::uint64_t noise_seed_;
  std::vector<std::uint8_t> other_;  // The tile of which a patch is taken.
};

// A teacher's logits are a better target for a mixed tile than two labels, so with a teacher a
// mixed tile loses its label.
void label(const std::vector<Mix>& mixes, bool has_teacher, TilePool& pool) {
  if (!has_teacher) pool.pasted.resize(pool.labels.size());
  for (const Mix& mix : mixes) {
    if (has_teacher) {
      pool.labels[mix.onto] = kUnlabelled;
    } else {
      pool.pasted[mix.onto] = {pool.labels[mix.from], mix.share()};
    }
  }
}

// The name of the pool's file in the teacher's cache, empty if it has none.  Everything that the
// answers follow from is part of it, so that nothing meets the logits of other tiles.
std::string name_of(const Dataset& data, const PoolPolicy& policy, const Teacher& teacher,
                    int number) {
  if (teacher.cache.empty()) return {};
  return data.name + "-" + digest_of(data) + "-seed" + std::to_string(policy.seed) + "-pool" +
         std::to_string(number) + settings_text(policy) + (policy.bfloat16 ? "-bf16" : "") + ".pt";
}

// Tiles like those of `data`, in `pixels`, which are borrowed.
TeacherInput tiles_of(const Dataset& data, const std::vector<std::uint8_t>& pixels) {
  const std::size_t bytes = data.shape.bytes();
  return {.shape = data.shape,
          .normalisation = data.normalisation,
          .count = data.size(),
          .write = [&pixels, bytes](std::size_t i, std::span<std::uint8_t> out) {
            std::ranges::copy(std::span(pixels).subspan(i * bytes, bytes), out.begin());
          }};
}

}  // namespace

std::string settings_text(const PoolPolicy& policy) {
  const Augmentation& a = policy.augmentation;
  std::ostringstream out;
  out << "-mirror" << a.mirror << "-shift" << a.shift_max << "-erase" << a.erase << "_"
      << a.erase_side_min << "_" << a.erase_side_max << (a.reflect ? "-reflect" : "");
  if (a.crop > 0) out << "-crop" << a.crop << "_" << a.crop_area_min << "_" << a.crop_aspect_max;
  if (policy.alternate_mirror) out << "-alternate";
  if (policy.mix > 0) out << "-mix" << policy.mix;
  return out.str();
}

machine::Rng stream_of(std::uint64_t seed, Stream stream, int number) {
  machine::Rng rng(seed);
  const std::uint64_t salt = rng.next();
  return machine::Rng(
      salt ^ (static_cast<std::uint64_t>(number) * 2 + static_cast<std::uint64_t>(stream)));
}

TilePool make_tiles(const Pictures& data, const PoolPolicy& policy, const Teacher& teacher,
                    int number) {
  const Dataset& tiles = *data.tiles;
  Canvas canvas(tiles);
  std::vector<Change> changes;
  changes.reserve(tiles.size());
  machine::Rng rng = stream_of(policy.seed, Stream::tiles, number);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    Change change = draw_change(tiles.shape, policy.augmentation, rng);
    if (policy.alternate_mirror) change.mirror = (i + static_cast<std::size_t>(number)) % 2 == 1;
    canvas.change(i, change, rng);
    changes.push_back(change);
  }
  TilePool pool;
  pool.labels = tiles.labels;
  std::vector<Mix> mixes;
  if (policy.mix > 0) {
    mixes = draw_mixes(tiles.shape, tiles.size(), policy.mix, rng);
    mix(canvas, mixes);
    label(mixes, static_cast<bool>(teacher), pool);
  }
  pool.pixels = canvas.take();
  if (teacher) {
    const std::string name = name_of(tiles, policy, teacher, number);
    if (data.teacher_tiles != nullptr) {
      TeacherCanvas large(data, std::move(changes), mixes, rng.next());
      pool.teacher_logits = cached_teacher_logits(teacher, large.input(), name, policy.bfloat16);
    } else {
      pool.teacher_logits =
          cached_teacher_logits(teacher, tiles_of(tiles, pool.pixels), name, policy.bfloat16);
    }
  }
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
  pool_ = {};  // Before the next is made, or both are in memory.
  number_ = -1;
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
