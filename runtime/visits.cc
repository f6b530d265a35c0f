#include "runtime/visits.h"

#include <algorithm>
#include <utility>

namespace runtime {

bool Visits::pay(Visit visit, wire::Duration wait) {
  const auto caller = std::make_shared<Caller>(Caller{std::move(visit)});
  std::unique_lock lock(mutex_);
  callers_.push_back(caller);
  bell_.ring();
  const auto begun = [&] { return caller->state != Caller::State::waiting; };
  if (!changed_.wait_for(lock, wait, begun)) {
    std::erase(callers_, caller);
    return false;
  }
  changed_.wait(lock, [&] { return caller->state == Caller::State::done; });
  return true;
}

void Visits::receive() {
  bell_.take();
  std::unique_lock lock(mutex_);
  while (!callers_.empty()) {
    const auto caller = std::move(callers_.front());
    callers_.pop_front();
    caller->state = Caller::State::inside;
    changed_.notify_all();
    lock.unlock();
    caller->visit();
    lock.lock();
    caller->state = Caller::State::done;
    changed_.notify_all();
  }
}

}  // namespace runtime
