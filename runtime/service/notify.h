// Notifies systemd of the state of a service (sd_notify(3)).  Does nothing if systemd did not start
// the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "wire/types.h"

namespace runtime {

void notify_ready();      // The service has started, or has ended a reload.
void notify_reloading();  // The service begins a reload; notify_ready() must follow.
void notify_stopping();   // The service is about to end.

// Notifies systemd that a process is alive while all of its loops run.  A loop that hangs in its
// work stops the notifications, whatever the other loops do.
class Watchdog {
 public:
  // Requires loops > 0.
  explicit Watchdog(std::size_t loops) : beaten_(loops) {}

  // Records that loop `loop` runs.  May be called on any thread.
  void beat(std::size_t loop);

  // How often each loop must beat: half of the time that systemd allows; nullopt if systemd has no
  // watchdog for this process.
  static std::optional<wire::Duration> interval();

 private:
  std::vector<std::atomic<bool>> beaten_;  // Loops that beat since the last notification.
};

}  // namespace runtime
