// A forwarder in a thread of its own, on ports of its own.
//
// A stage that is killed leaves its upstreams connected, so that the broker learns of its end from
// silence alone: `kill` together with a bad link measures something else than `kill`.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "replay/live/forwarder.h"
#include "runtime/loop/loop.h"
#include "runtime/pipeline/pipeline.h"

namespace replay::live {

class Relay {
 public:
  // Between a stage and the broker and sink of `pipeline`.  Throws ConfigError if an endpoint
  // cannot be opened.
  Relay(const runtime::Pipeline& pipeline, std::uint64_t seed);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Where the stage is to connect instead.
  const std::string& workers() const { return workers_; }
  const std::string& answers() const { return answers_; }

  // From any thread, as counters().
  void set(const Ills& ills);
  Forwarder::Counters counters() const;

 private:
  Ills ills();

  mutable std::mutex mutex_;
  Ills ills_;                     // Under mutex_,
  Forwarder::Counters counters_;  // as this: the forwarder's when it was last asked.
  runtime::Context context_;
  Forwarder forwarder_;
  std::unique_ptr<runtime::Loop> loop_;
  std::string workers_, answers_;  // Read before the loop runs: its sockets are its thread's.
  std::thread thread_;
};

}  // namespace replay::live
