// The log of a process: one line per event, on stderr.
//
// Write to it with spdlog's own calls (spdlog::info("{} workers", n)) after start_log.  Control
// characters in a message are escaped, so every message is one line.
#pragma once

#include <spdlog/spdlog.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "wire/types.h"

namespace runtime {

enum class LogFormat : std::uint8_t {
  text,  // 2025-01-31 12:00:00.123 warn  broker: the message
  json,  // {"time":"2025-01-31T12:00:00.123Z","level":"warning","process":"broker","message":"..."}
};

struct LogOptions {
  std::string process;  // The name of the process: "broker", "classifier 3".
  spdlog::level::level_enum level = spdlog::level::info;
  LogFormat format = LogFormat::text;
};

// Sets up spdlog's default logger.  Call it before other threads exist; a second call replaces the
// set-up.  Times are in UTC.
void start_log(const LogOptions& options);

// Returns `text` as the inside of a JSON string: quotes, backslashes and control characters are
// escaped.
std::string json_escaped(std::string_view text);

// Admits one message per interval and counts the others.  A pure value.  Use one for each log line
// that a peer can trigger.
class LogLimiter {
 public:
  // Requires interval >= 0.
  explicit LogLimiter(wire::Duration interval) : interval_(interval) {}

  // Returns the number of messages suppressed since the last one; nullopt if this one must be
  // suppressed, too.
  std::optional<std::uint64_t> admit(wire::Instant now) {
    if (last_ && now - *last_ < interval_) {
      ++held_back_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(held_back_, 0);
  }

 private:
  wire::Duration interval_;
  std::optional<wire::Instant> last_;
  std::uint64_t held_back_ = 0;
};

// Logs a warning if the limiter admits it, with the number of warnings that were suppressed.
template <class... Args>
void warn_limited(LogLimiter& limiter, wire::Instant now, fmt::format_string<Args...> format,
                  Args&&... args) {
  const auto held_back = limiter.admit(now);
  if (!held_back) return;
  const std::string message = fmt::format(format, std::forward<Args>(args)...);
  if (*held_back == 0) {
    spdlog::warn("{}", message);
  } else {
    spdlog::warn("{} ({} more like this)", message, *held_back);
  }
}

}  // namespace runtime
