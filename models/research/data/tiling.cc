#include "models/research/data/tiling.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "wire/check.h"

namespace models {

std::vector<std::size_t> shuffled(std::size_t n, machine::Rng& rng) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

std::vector<std::int64_t> draw_tilings(std::size_t images, std::size_t slots, double partial_share,
                                       machine::Rng& rng) {
  COLLAGE_CHECK(slots > 0 && partial_share >= 0 && partial_share <= 1);
  const std::vector<std::size_t> order = shuffled(images, rng);
  std::vector<std::int64_t> tilings;
  tilings.reserve(images + images / 4);
  for (std::size_t next = 0; next < images;) {
    const bool partial = slots > 1 && rng.chance(partial_share);
    const std::size_t filled = partial ? 1 + rng.below(slots - 1) : slots;
    const std::vector<std::size_t> places = shuffled(slots, rng);
    const std::size_t begin = tilings.size();
    tilings.resize(begin + slots, kBlank);
    for (std::size_t i = 0; i < filled && next < images; ++i) {
      tilings[begin + places[i]] = static_cast<std::int64_t>(order[next++]);
    }
  }
  return tilings;
}

std::vector<std::int64_t> draw_groups(std::size_t images, std::size_t k, machine::Rng& rng) {
  COLLAGE_CHECK(k >= 1);
  const std::vector<std::size_t> order = shuffled(images, rng);
  std::vector<std::int64_t> groups(order.begin(), order.end());
  for (std::size_t i = 0; groups.size() % k != 0; ++i) groups.push_back(groups[i]);
  return groups;
}

}  // namespace models
