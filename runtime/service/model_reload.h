// Something that takes a while to make ready, made beside a process's loops and then taken over by
// them between two turns: a model of another version, say.  Meanwhile the loops go on as before.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/loop/loop.h"
#include "runtime/pipeline/pipeline.h"

namespace runtime {

class ModelReload {
 public:
  struct Swap {
    std::string what;  // For the log: "model a takes over from b".
    // Each called by the loop of its place, the last of them first: the loop that may be busy at
    // long work, without which the others shall not go ahead.
    std::vector<std::function<void()>> each;
  };
  // Called on a thread of its own, never twice at a time.  Nothing to take over: an empty `each`.
  // What it throws goes to the log, and nothing changes.
  using Prepare = std::function<Swap(const Pipeline& fresh)>;

  // The loops must outlive it.
  ModelReload(Prepare prepare, std::vector<Loop*> loops)
      : prepare_(std::move(prepare)), loops_(std::move(loops)) {}
  ~ModelReload();

  // Begins, or says in the log that the one before is still under way.
  void begin(Pipeline fresh);

 private:
  void run(const Pipeline& fresh);

  const Prepare prepare_;
  const std::vector<Loop*> loops_;
  std::atomic<bool> busy_ = false;
  std::thread thread_;
};

}  // namespace runtime
