// What a service tells systemd of itself (sd_notify(3)); nothing where none listens.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "wire/types.h"

namespace runtime {

void notify_ready();      // Started, or done with reading its file again.
void notify_reloading();  // Reads its file again; notify_ready() follows.
void notify_stopping();

// Tells systemd that a process is alive while every one of its loops turns: a loop that hangs in
// its work starves the watchdog, whatever the others do.
class Watchdog {
 public:
  // Requires loops > 0.
  explicit Watchdog(std::size_t loops) : beaten_(loops) {}

  // Loop `loop` has turned.  From any thread.
  void beat(std::size_t loop);

  // How often each loop is to beat: half of what systemd allows; nullopt if it does not watch.
  static std::optional<wire::Duration> interval();

 private:
  std::vector<std::atomic<bool>> beaten_;  // Since systemd was told last.
};

}  // namespace runtime
