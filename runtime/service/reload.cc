#include "runtime/service/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/config/config_error.h"
#include "runtime/service/notify.h"

namespace runtime {
namespace {

// Only what no other process depends on, and no machine has been built with.
constexpr std::string_view kAtOnce[] = {"log.level", "log.requests"};

void reload_keys(KeyStore& keys) {
  try {
    const std::string own_change = keys.refresh();
    const auto keyring = keys.now();
    spdlog::info("{}: keys read again, {} of peers allowed", keyring->folder.string(),
                 keyring->allowed.size());
    if (!own_change.empty()) {
      spdlog::warn("{} (takes effect after a restart)", own_change);
    }
  } catch (const ConfigError& error) {
    spdlog::error("{} (no key has changed)", error.what());
  }
}

}  // namespace

Changes changes_between(const ServiceConfig& running, const ServiceConfig& fresh,
                        const std::vector<std::string>& renewable) {
  std::map<std::string, std::string> gone;
  for (const Document::Resolved& key : running.resolved) gone[key.path] = key.value;
  Changes changes;
  const auto add = [&](const std::string& path) {
    const bool at_once = std::ranges::find(kAtOnce, path) != std::end(kAtOnce);
    const bool renewing = std::ranges::find(renewable, path) != renewable.end();
    (at_once    ? changes.at_once
     : renewing ? changes.renewing
                : changes.after_restart)
        .push_back(path);
  };
  for (const Document::Resolved& key : fresh.resolved) {
    const auto old = gone.find(key.path);
    if (old == gone.end() || old->second != key.value) add(key.path);
    if (old != gone.end()) gone.erase(old);
  }
  for (const auto& [path, value] : gone) add(path);
  return changes;
}

namespace {

void log_changes(const std::string& file, const Changes& changes) {
  if (!changes.renewing.empty()) {
    spdlog::info("{}: read again, now loading: {}", file, fmt::join(changes.renewing, ", "));
  }
  if (changes.at_once.empty() && changes.renewing.empty() && changes.after_restart.empty()) {
    spdlog::info("{}: read again, nothing has changed", file);
  }
  if (!changes.at_once.empty()) {
    spdlog::info("{}: read again, in effect: {}", file, fmt::join(changes.at_once, ", "));
  }
  if (!changes.after_restart.empty()) {
    spdlog::warn("{}: read again, takes effect after a restart: {}", file,
                 fmt::join(changes.after_restart, ", "));
  }
}

// Takes over what is in effect from `fresh`; keys that need a restart keep their running values.
void apply(const ServiceConfig& fresh, const Changes& changes, ServiceConfig& running) {
  running.log_level = fresh.log_level;
  running.log_requests = fresh.log_requests;
  for (Document::Resolved& key : running.resolved) {
    const auto& waits = changes.after_restart;
    if (std::ranges::find(waits, key.path) != waits.end()) continue;
    const auto now = std::ranges::find(fresh.resolved, key.path, &Document::Resolved::path);
    if (now != fresh.resolved.end()) key = *now;
  }
}

bool reload_file(ServiceConfig& running, const std::function<ServiceConfig()>& load,
                 const std::vector<std::string>& renewable) {
  try {
    const ServiceConfig fresh = load();
    const Changes changes = changes_between(running, fresh, renewable);
    // The change is logged at the more verbose of the two levels, so that a reload which lowers the
    // level is still seen.
    spdlog::set_level(std::min(running.log_level, fresh.log_level));
    apply(fresh, changes, running);
    log_changes(running.file.string(), changes);
    spdlog::set_level(fresh.log_level);
    return true;
  } catch (const ConfigError& error) {
    spdlog::error("{} (nothing has changed)", error.what());
    return false;
  }
}

}  // namespace

bool reload(ServiceConfig& running, const std::function<ServiceConfig()>& load,
            const std::vector<std::string>& renewable, KeyStore* keys) {
  notify_reloading();
  const bool read = reload_file(running, load, renewable);
  if (keys) reload_keys(*keys);
  notify_ready();
  return read;
}

}  // namespace runtime
