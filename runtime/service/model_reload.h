// Replaces something that takes long to load, such as a model, while the loops of a process run on:
// the new one is prepared on a thread of its own and swapped in between two iterations of a loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/loop/loop.h"

namespace runtime {

class ModelReload {
 public:
  struct Swap {
    std::string what;  // The text for the log: "model a takes over from b".
    // One function a loop, called on that loop, the last one first: a later loop may be busy with
    // long work, and the earlier loops must not change before it has.
    std::vector<std::function<void()>> each;
  };
  // Called on a thread of its own, never twice at a time.  An empty `each`: nothing to swap.  An
  // exception goes to the log, and nothing changes.
  using Prepare = std::function<Swap()>;

  // The loops must outlive this object.
  ModelReload(Prepare prepare, std::vector<Loop*> loops)
      : prepare_(std::move(prepare)), loops_(std::move(loops)) {}
  ~ModelReload();

  // Starts a reload.  If one is still running, logs that and does nothing.
  void begin();

 private:
  void run();

  const Prepare prepare_;
  const std::vector<Loop*> loops_;
  std::atomic<bool> busy_ = false;
  std::thread thread_;
};

}  // namespace runtime
