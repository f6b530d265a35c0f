#include "runtime/service/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/config/config_error.h"
#include "runtime/service/notify.h"

namespace runtime {
namespace {

constexpr std::string_view kAtOnce[] = {"log.level", "log.requests"};

void reload_keys(KeyStore& keys) {
  try {
    const std::string own_change = keys.refresh();
    const auto keyring = keys.now();
    spdlog::info("{}: keys read again, {} of peers are allowed", keyring->folder.string(),
                 keyring->allowed.size());
    if (!own_change.empty()) {
      spdlog::warn("{} (takes effect after a restart)", own_change);
    }
  } catch (const ConfigError& error) {
    spdlog::error("{} (no key has changed)", error.what());
  }
}

}  // namespace

Changes changes_between(const Pipeline& running, const Pipeline& fresh,
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

std::optional<Pipeline> reload(Pipeline& running, const std::vector<std::string>& renewable,
                               KeyStore* keys) {
  std::optional<Pipeline> read;
  notify_reloading();
  try {
    const Pipeline fresh = load_pipeline(running.file);
    const Changes changes = changes_between(running, fresh, renewable);
    // Reported at whichever level says more.
    spdlog::set_level(std::min(running.log_level, fresh.log_level));
    running.log_level = fresh.log_level;
    running.log_requests = fresh.log_requests;
    for (Document::Resolved& key : running.resolved) {
      const auto& waits = changes.after_restart;
      if (std::ranges::find(waits, key.path) != waits.end()) continue;
      const auto now = std::ranges::find(fresh.resolved, key.path, &Document::Resolved::path);
      if (now != fresh.resolved.end()) key = *now;
    }
    if (!changes.renewing.empty()) {
      spdlog::info("{}: read again, being loaded: {}", running.file.string(),
                   fmt::join(changes.renewing, ", "));
    }
    if (changes.at_once.empty() && changes.renewing.empty() && changes.after_restart.empty()) {
      spdlog::info("{}: read again, nothing has changed", running.file.string());
    }
    if (!changes.at_once.empty()) {
      spdlog::info("{}: read again, in effect: {}", running.file.string(),
                   fmt::join(changes.at_once, ", "));
    }
    if (!changes.after_restart.empty()) {
      spdlog::warn("{}: changed, but takes effect after a restart: {}", running.file.string(),
                   fmt::join(changes.after_restart, ", "));
    }
    spdlog::set_level(fresh.log_level);
    read = fresh;
  } catch (const ConfigError& error) {
    spdlog::error("{} (nothing has changed)", error.what());
  }
  if (keys) reload_keys(*keys);
  notify_ready();
  return read;
}

}  // namespace runtime
