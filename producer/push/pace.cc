#include "producer/push/pace.h"

#include <algorithm>

namespace producer {
namespace {

constexpr std::size_t kParts = 16;

}  // namespace

void Pace::on_answer() {
  answers_ += 1;
  if (!growing_ && answers_ < window_) return;
  answers_ = 0;
  window_ += growing_ ? 1 : std::max<std::size_t>(1, window_ / kParts);
}

void Pace::on_setback(std::size_t open) {
  if (crowd_ > 0) return;
  growing_ = false;
  answers_ = 0;
  window_ = std::max<std::size_t>(1, std::min(window_, open) / 2);
  crowd_ = open;
}

void Pace::on_done() { crowd_ -= std::min<std::size_t>(crowd_, 1); }

}  // namespace producer
