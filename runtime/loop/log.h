// The log of a process: one line an event, to stderr.
//
// Written with spdlog's own calls (spdlog::info("{} workers", n)) once start_log has been called.
// Whatever a message holds, it stays one line: control characters are escaped.
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
  std::string process;  // Which one this is: "broker", "classifier 3".
  spdlog::level::level_enum level = spdlog::level::info;
  LogFormat format = LogFormat::text;
};

// Sets up spdlog's default logger.  Called by main before there are other threads; calling it
// again replaces the set-up.  Times are in UTC.
void start_log(const LogOptions& options);

// `words` as the inside of a JSON string: quotes, backslashes and control characters escaped.
std::string json_escaped(std::string_view words);

// Lets one message through an interval, and counts those it holds back.  A pure value: keep one
// for each place that a peer can make talk.
class LogLimiter {
 public:
  // Requires interval >= 0.
  explicit LogLimiter(wire::Duration interval) : interval_(interval) {}

  // nullopt: stay silent.  Else how many messages have been held back since the last one.
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

// Warns, as often as the limiter lets it; tells how many such warnings were held back.
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
