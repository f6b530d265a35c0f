#include "runtime/loop/loop_calls.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace runtime {

bool LoopCalls::call(Call call, wire::Duration wait) {
  const auto caller = std::make_shared<Caller>(Caller{std::move(call)});
  std::unique_lock lock(mutex_);
  if (closed_) return false;
  callers_.push_back(caller);
  wake_.notify();
  const auto begun = [&] { return caller->state != Caller::State::waiting; };
  // A call that has begun is waited for, however long it takes: it uses the caller's variables.
  if (!changed_.wait_for(lock, wait, begun)) {
    std::erase(callers_, caller);
    return false;
  }
  changed_.wait(lock, [&] { return caller->state != Caller::State::inside; });
  return caller->state == Caller::State::done;
}

void LoopCalls::receive() {
  wake_.take();
  std::unique_lock lock(mutex_);
  if (callers_.empty()) return;
  const auto caller = std::move(callers_.front());
  callers_.pop_front();
  if (!callers_.empty()) wake_.notify();  // The next iteration runs the next call.
  caller->state = Caller::State::inside;
  changed_.notify_all();
  // Unlocked, so that other threads can queue calls, or give theirs up, during a long one.
  lock.unlock();
  std::exception_ptr failure;
  try {
    caller->call();
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  // Also after a failure, which ends the loop: the caller would wait for ever.
  caller->state = failure ? Caller::State::rejected : Caller::State::done;
  changed_.notify_all();
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
}

void LoopCalls::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& caller : callers_) caller->state = Caller::State::rejected;
  callers_.clear();
  changed_.notify_all();
}

}  // namespace runtime
