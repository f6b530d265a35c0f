// Runs a process around its machines: log, signals, HTTP, reload, watchdog and exit code.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/telemetry.h"
#include "runtime/loop/loop.h"
#include "runtime/loop/signals.h"
#include "runtime/service/model_reload.h"
#include "runtime/service/service_config.h"

namespace runtime {

// A machine and its links.
struct Part {
  std::string name;  // The label `part` of its metrics, such as "assembler".
  machine::Machine& machine;
  std::vector<Link> links;
  Loop::Runner runner;
};

// An HTTP page about the machine of a process.  `body` is called on the machine's loop.
struct Page {
  std::string path, type;
  std::function<std::string()> body;
};

// Returns the telemetry of all loops of a process; nullopt if one of them is blocked.  May be
// called by any thread but theirs.
using Report = std::function<std::optional<machine::Telemetry>()>;

struct Process {
  std::string name;             // The name in the log, such as "classifier 3".
  std::uint16_t http_port = 0;  // Used if the configuration has an HTTP address.
  // One part, or two that run in threads of their own and are joined by inproc://.  The first part
  // handles signals; when the first part has finished, the second is stopped.
  std::vector<Part> parts;
  std::vector<Page> pages{};  // About the first part.
  // The line of /readyz about the first part when it is ready; called on its loop.  May be empty.
  std::function<std::string()> about{};
  // Reads the configuration again at a SIGHUP.  Throws ConfigError.
  std::function<ServiceConfig()> load{};
  // Prepares what the keys in `renewable` changed to, after a SIGHUP; empty: nothing is renewable.
  ModelReload::Prepare renew{};
  std::vector<std::string> renewable{};
  // Opens what other threads use the first loop for, once all loops are open; what it returns is
  // released when they have ended.  Throws ConfigError: exit code 1, as for an endpoint.
  std::function<std::shared_ptr<void>(Loop&, Report)> attach{};
  // The time to drain after the first SIGTERM; less than TimeoutStopSec of the unit.
  wire::Duration drain_max = Loop::Options{}.drain_max;
};

// Drives the machines over their links until SIGTERM or SIGINT and drained.  A SIGHUP reads the
// configuration and the keys again (reload.h).  Readiness and a watchdog are reported to systemd if
// systemd started the process; metrics and readiness are served over HTTP.  Logs a warning if hosts
// without a key may connect.  Requires that `signals` was made before any model was loaded, so that
// a SIGTERM during the load is handled.  Returns the exit code: 0 drained; 1 not drained in time,
// an endpoint could not be opened, or an exception ended one of the loops, and with it the process.
int serve(const ServiceConfig& config, Signals& signals, Process process);

// Writes a machine's message to the log.
void log_message(const machine::LogMessage& message);

// Loads the keys of a process; nullptr if the configuration has none.  Throws ConfigError.
std::shared_ptr<KeyStore> open_keys(const ServiceConfig& config, KeyOwner owner);

// Links as pipelines use them.  Frames are bounded by `frame_bytes_max`, which is at least the size
// of a message header.
Link bound_router(const std::string& endpoint, std::uint64_t frame_bytes_max,
                  std::shared_ptr<KeyStore> keys = {}, LinkName name = LinkName::producers);
Link connected_dealer(const std::string& endpoint, std::uint64_t frame_bytes_max,
                      std::shared_ptr<KeyStore> keys = {}, LinkName name = LinkName::producers);

// Returns true if only processes of this host can connect to the endpoint.
bool within_host(const std::string& endpoint);

// Returns Process::drain_max for a process whose requests have a deadline of `deadline_max` at
// most: long enough for the last to have its result, but no more than a minute, and no less than
// other processes have.
wire::Duration drain_max_for(wire::Duration deadline_max);

}  // namespace runtime
