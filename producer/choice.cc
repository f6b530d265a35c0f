#include "producer/choice.h"

#include <algorithm>
#include <cstdint>

#include "wire/check.h"
#include "wire/fnv.h"

namespace producer {
namespace {

// FNV-1a over the broker, a zero byte and the stream, then the finaliser of MurmurHash3.  Without
// the finaliser, streams whose names differ only in the last letter would rank brokers alike.
std::uint64_t rank(std::string_view broker, std::string_view stream) {
  wire::Fnv fnv;
  fnv.add(broker);
  fnv.add(std::uint8_t{0});
  fnv.add(stream);
  std::uint64_t hash = fnv.value();
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

// Equal ranks are decided by name, so that the order of the list does not matter.
bool is_preferred(std::string_view stream, const std::string& a, const std::string& b) {
  const std::uint64_t rank_a = rank(a, stream), rank_b = rank(b, stream);
  return rank_a > rank_b || (rank_a == rank_b && a < b);
}

}  // namespace

std::size_t choose_broker(std::string_view stream, std::span<const std::string> brokers) {
  COLLAGE_CHECK(!brokers.empty());
  std::size_t best = 0;
  for (std::size_t i = 1; i < brokers.size(); ++i) {
    if (is_preferred(stream, brokers[i], brokers[best])) best = i;
  }
  return best;
}

std::vector<std::string> rank_brokers(std::string_view stream, std::vector<std::string> brokers) {
  std::ranges::sort(brokers, [stream](const std::string& a, const std::string& b) {
    return is_preferred(stream, a, b);
  });
  // A broker that is listed twice is no second one.
  brokers.erase(std::unique(brokers.begin(), brokers.end()), brokers.end());
  return brokers;
}

}  // namespace producer
