#include "runtime/loop/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <cstdio>
#include <memory>

namespace runtime {
namespace {

// Escapes the message of a log line: it may contain text from a peer, which must not start a new
// line or a control sequence of the terminal.
class Escaped : public spdlog::custom_flag_formatter {
 public:
  explicit Escaped(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    for (const char c : std::string_view(message.payload.data(), message.payload.size())) {
      // Quotes and backslashes need no escape in a text line; only JSON requires one.
      const bool text_as_it_is = format_ == LogFormat::text && (c == '"' || c == '\\');
      const std::string escaped = text_as_it_is ? std::string(1, c) : json_escaped({&c, 1});
      out.append(escaped.data(), escaped.data() + escaped.size());
    }
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Escaped>(format_);
  }

 private:
  LogFormat format_;
};

std::string pattern_of(const LogOptions& options) {
  if (options.format == LogFormat::text) return "%Y-%m-%d %H:%M:%S.%e %-7l %n: %*";
  return R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","process":"%n","message":"%*"})";
}

}  // namespace

std::string json_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", byte);
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out;
}

void start_log(const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>(json_escaped(options.process),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<Escaped>('*', options.format).set_pattern(pattern_of(options));
  logger->set_formatter(std::move(formatter));
  logger->set_level(options.level);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace runtime
