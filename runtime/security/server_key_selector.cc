#include "runtime/security/server_key_selector.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace runtime {
namespace {

bool is_in(const std::vector<PublicKey>& known, const PublicKey& key) {
  return std::ranges::find(known, key) != known.end();
}

// The number of attempts in which each key has its turn.
int round_of(const std::vector<PublicKey>& known, const std::optional<PublicKey>& worked) {
  const int keys = static_cast<int>(known.size());
  return worked && is_in(known, *worked) ? std::max(2 * (keys - 1), 1) : keys;
}

}  // namespace

void ServerKeySelector::on_success() {
  worked_ = key_;
  other_ = key_;
  failures_ = 0;
  retry_at_.reset();
}

bool ServerKeySelector::on_retry() {
  retry_at_.reset();
  return std::exchange(key_, next_) != next_;
}

void ServerKeySelector::on_failure(Failure how, const std::vector<PublicKey>& known,
                                   wire::Instant now) {
  COLLAGE_CHECK(!known.empty());
  if (retry_at_) return;  // One retry is scheduled already; more failures must not postpone it.
  const bool stays = how == Failure::refused && is_in(known, key_);
  const PublicKey next = stays ? key_ : next_after_failure(known);
  // libzmq retries by itself after a silent failure; a new socket gains nothing with the same key.
  if (how == Failure::silent && next == key_) return;
  // Another key is tried at once the first time: a server's key has most likely been replaced.
  const bool at_once = how == Failure::silent && failures_ == 0;
  // Once all keys have failed the cause is another one, and attempts back off.  kWaitMax is reached
  // after five doublings; the bound keeps the shift within an int.
  constexpr int kDoublingsMax = 10;
  const int doublings = failures_ / (stays ? 1 : round_of(known, worked_));
  const wire::Duration wait = kWaitMin * (1 << std::min(doublings, kDoublingsMax));
  retry_at_ = at_once ? now : now + std::min(wait, kWaitMax);
  ++failures_;
  next_ = next;
  if (next != worked_) other_ = next;
}

PublicKey ServerKeySelector::next_after_failure(const std::vector<PublicKey>& known) const {
  if (worked_ && key_ != *worked_ && is_in(known, *worked_)) return *worked_;
  auto at = std::ranges::find(known, other_);
  for (std::size_t i = 0; i < known.size(); ++i) {
    at = at == known.end() || at + 1 == known.end() ? known.begin() : at + 1;
    if (*at != worked_) return *at;
  }
  return known.front();  // No other is known than the one that worked.
}

}  // namespace runtime
