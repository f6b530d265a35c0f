#include "runtime/service/notify.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace runtime {
namespace {

// A failure is ignored: systemd treats a missing notification by its own timeouts.
void notify_systemd(const char* state) { sd_notify(0, state); }

}  // namespace

void notify_ready() { notify_systemd("READY=1"); }
void notify_reloading() { notify_systemd("RELOADING=1"); }
void notify_stopping() { notify_systemd("STOPPING=1"); }

void Watchdog::beat(std::size_t loop) {
  beaten_.at(loop) = true;
  const auto all = [](const std::atomic<bool>& beaten) { return beaten.load(); };
  if (!std::all_of(beaten_.begin(), beaten_.end(), all)) return;
  // Two loops may both get here and notify twice, which is harmless.
  for (std::atomic<bool>& beaten : beaten_) beaten = false;
  notify_systemd("WATCHDOG=1");
}

std::optional<wire::Duration> Watchdog::interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds / 2);  // As sd_watchdog_enabled(3) recommends.
}

}  // namespace runtime
