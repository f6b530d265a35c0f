#include "runtime/security/server_key_selector.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace runtime {

void ServerKeySelector::on_success() {
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
  const auto current = std::ranges::find(known, key_);
  const bool last = current == known.end() || current + 1 == known.end();
  const bool stays = how == Failure::refused && current != known.end();
  const PublicKey next = stays ? key_ : last ? known.front() : *(current + 1);
  // libzmq retries by itself after a silent failure; a new socket gains nothing with the same key.
  if (how == Failure::silent && next == key_) return;
  // The other key is tried at once the first time: a server's key has most likely been replaced.
  // After that both keys have failed, so the cause is another one, and attempts back off.
  const bool at_once = how == Failure::silent && failures_ == 0;
  // kWaitMax is reached after five doublings; the bound keeps the shift within an int.
  constexpr int kDoublingsMax = 10;
  const wire::Duration wait = kWaitMin * (1 << std::min(failures_, kDoublingsMax));
  retry_at_ = at_once ? now : now + std::min(wait, kWaitMax);
  ++failures_;
  next_ = next;
}

}  // namespace runtime
