// Lets other threads have something done on a loop's thread, between two of its turns.
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

  // Has `visit` called by the loop and waits until it has been, `wait` at most: false if the loop
  // was deaf for so long or has ended, and then it will not be called any more.  From any thread
  // but the loop's.
  bool call(Call call, wire::Duration wait);

  // Readable when somebody waits.
  int descriptor() const { return wake_.descriptor(); }
  // Calls the one that has waited longest, so that visitors however many leave the loop its turns.
  // On the loop's thread.
  void receive();
  // The loop has ended: turns away those that wait and those that come.  From any thread.
  void close();

 private:
  struct Caller {
    Call call;
    enum class State { waiting, inside, done, turned_away } state = State::waiting;
  };
  EventFd wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Caller>> callers_;
  bool closed_ = false;
};

}  // namespace runtime
