#include "runtime/service/model_reload.h"

#include <chrono>
#include <exception>
#include <utility>

#include "runtime/loop/log.h"
#include "wire/check.h"

namespace runtime {
namespace {

// Longer than a loop is blocked in its work; a loop that has ended rejects calls at once.
constexpr wire::Duration kCallMax = std::chrono::seconds(3);

}  // namespace

ModelReload::~ModelReload() {
  if (thread_.joinable()) thread_.join();
}

void ModelReload::begin() {
  if (busy_.exchange(true)) {
    spdlog::warn("still loading for an earlier reload; reload again when that has ended");
    return;
  }
  if (thread_.joinable()) thread_.join();  // It has ended: busy_ was false.
  thread_ = std::thread([this] {
    run();
    busy_ = false;
  });
}

void ModelReload::run() {
  try {
    const Swap over = prepare_();
    COLLAGE_CHECK(over.each.size() <= loops_.size());
    for (std::size_t i = over.each.size(); i-- > 0;) {
      if (!loops_[i]->call_on_loop(over.each[i], kCallMax)) {
        spdlog::error("{}: not done, because a loop is busy; reload again", over.what);
        return;
      }
    }
    if (!over.what.empty()) spdlog::info("{}", over.what);
  } catch (const std::exception& error) {
    spdlog::error("{} (nothing has changed)", error.what());
  }
}

}  // namespace runtime
