#include "runtime/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/config_error.h"
#include "runtime/notify.h"

namespace runtime {
namespace {

constexpr std::string_view kAtOnce[] = {"log.level"};

}  // namespace

Changes changes_between(const Pipeline& running, const Pipeline& fresh) {
  std::map<std::string, std::string> gone;
  for (const Document::Resolved& key : running.resolved) gone[key.path] = key.value;
  Changes changes;
  const auto add = [&changes](const std::string& path) {
    const bool at_once = std::ranges::find(kAtOnce, path) != std::end(kAtOnce);
    (at_once ? changes.at_once : changes.after_restart).push_back(path);
  };
  for (const Document::Resolved& key : fresh.resolved) {
    const auto old = gone.find(key.path);
    if (old == gone.end() || old->second != key.value) add(key.path);
    if (old != gone.end()) gone.erase(old);
  }
  for (const auto& [path, value] : gone) add(path);
  return changes;
}

void reload(Pipeline& running) {
  notify_reloading();
  try {
    const Pipeline fresh = load_pipeline(running.file);
    const Changes changes = changes_between(running, fresh);
    // Reported at whichever level says more.
    spdlog::set_level(std::min(running.log_level, fresh.log_level));
    running.log_level = fresh.log_level;
    for (Document::Resolved& key : running.resolved) {
      if (key.path != "log.level") continue;
      key = *std::ranges::find(fresh.resolved, key.path, &Document::Resolved::path);
    }
    if (changes.at_once.empty() && changes.after_restart.empty()) {
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
  } catch (const ConfigError& error) {
    spdlog::error("{} (nothing has changed)", error.what());
  }
  notify_ready();
}

}  // namespace runtime
