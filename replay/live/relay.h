// A forwarder in a thread of its own, on ports of its own.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "replay/live/forwarder.h"
#include "runtime/loop.h"
#include "runtime/pipeline.h"

namespace replay::live {

class Relay {
 public:
  // Between a stage and the broker and sink of `pipeline`.
  Relay(const runtime::Pipeline& pipeline, std::uint64_t seed);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Where the stage is to connect instead.
  std::string workers() const { return loop_->bound_endpoint(Forwarder::downstream(0)); }
  std::string answers() const { return loop_->bound_endpoint(Forwarder::downstream(1)); }

  void set(const Ills& ills);

 private:
  Ills ills() const;

  mutable std::mutex mutex_;
  Ills ills_;  // Under mutex_.
  runtime::Context context_;
  Forwarder forwarder_;
  std::unique_ptr<runtime::Loop> loop_;
  std::thread thread_;
};

}  // namespace replay::live
