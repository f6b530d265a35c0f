// Runs a Forwarder on its own ports, in its own thread.
//
// If the stage behind a relay is killed, the relay keeps its connections to broker and sink.  The
// broker then learns of the end from missing heartbeats alone, so `kill` together with a bad link
// measures something else than `kill`.
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
  // Stands between a stage and the broker and sink of `pipeline`.  Throws ConfigError if an
  // endpoint cannot be opened.
  Relay(const runtime::Pipeline& pipeline, std::uint64_t seed);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Endpoints to which the stage connects instead of those of the pipeline.
  const std::string& workers() const { return workers_; }
  const std::string& answers() const { return answers_; }

  // Both may be called from any thread.
  void set(const LinkFaults& link_faults);
  Forwarder::Counters counters() const;

 private:
  LinkFaults link_faults();

  mutable std::mutex mutex_;
  LinkFaults link_faults_;        // Guarded by mutex_.
  Forwarder::Counters counters_;  // Guarded by mutex_; a copy made at the latest message.
  runtime::Context context_;
  Forwarder forwarder_;
  std::unique_ptr<runtime::Loop> loop_;
  std::string workers_, answers_;  // Read before the thread starts, which owns the sockets.
  std::thread thread_;
};

}  // namespace replay::live
