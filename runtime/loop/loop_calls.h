// Runs functions of other threads on a loop's thread, between two iterations.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "runtime/loop/event_fd.h"
#include "runtime/loop/signals.h"
#include "wire/types.h"

namespace runtime {

class LoopCalls {
 public:
  using Call = std::function<void()>;

  // Queues `call` and waits until the loop has run it.  Returns false if the loop did not begin it
  // within `wait` or has ended; then `call` will not run any more.  May be called on any thread but
  // the loop's.
  bool call(Call call, wire::Duration wait);

  // Readable while a call is queued.
  int descriptor() const { return wake_.descriptor(); }
  // Runs the oldest queued call.  At most one per iteration, so that callers cannot starve the
  // loop. Must be called on the loop's thread.  Throws what the call throws; its caller gets false.
  void receive();
  // Rejects all queued and future calls.  May be called on any thread once the loop has ended.
  void close();

 private:
  struct Caller {
    Call call;
    enum class State { waiting, inside, done, rejected } state = State::waiting;
  };
  EventFd wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Caller>> callers_;
  bool closed_ = false;
};

}  // namespace runtime
