#include "gateway/request_options.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace gateway {
namespace {

constexpr std::int64_t kDeadlineMsMax = 24 * 3600 * 1000;  // wire::kDurationMax.
constexpr std::size_t kKeyBytesMax = 255;

Problem bad_header(const std::string& name, const std::string& expected) {
  return {400, "bad_header", name + ": expected " + expected};
}

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 1 && value <= max ? std::optional(value) : std::nullopt;
}

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"; later versions may be longer.
bool is_traceparent(std::string_view text) {
  if (text.size() < 55 || (text.size() > 55 && (text.starts_with("00") || text[55] != '-'))) {
    return false;
  }
  if (text.size() > 256 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const auto is_zero = [](std::string_view id) { return id.find_first_not_of('0') == id.npos; };
  return is_hex(text.substr(0, 2)) && !text.starts_with("ff") && is_hex(trace) && is_hex(parent) &&
         is_hex(text.substr(53, 2)) && !is_zero(trace) && !is_zero(parent);
}

// Printable and short: it is kept in memory and written to logs.
bool is_key(std::string_view text) {
  return text.size() <= kKeyBytesMax &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

std::optional<Problem> read_deadline(std::string_view text, producer::SubmitOptions& options) {
  if (text.empty()) return std::nullopt;
  const auto ms = number(text, kDeadlineMsMax);
  if (!ms) {
    return bad_header("X-Collage-Deadline-Ms",
                      "a whole number from 1 to " + std::to_string(kDeadlineMsMax));
  }
  options.deadline = std::chrono::milliseconds(*ms);
  return std::nullopt;
}

std::optional<Problem> read_priority(std::string_view text, producer::SubmitOptions& options) {
  if (text.empty()) return std::nullopt;
  for (const wire::Priority one :
       {wire::Priority::low, wire::Priority::normal, wire::Priority::high}) {
    if (same_ignoring_case(text, to_string(one))) {
      options.priority = one;
      return std::nullopt;
    }
  }
  return bad_header("X-Collage-Priority", "low, normal or high");
}

std::optional<Problem> read_streams(const RequestHead& head, producer::SubmitOptions& options) {
  for (const char* name : {"X-Collage-Stream", "X-Collage-Latest"}) {
    const std::string_view text = head.header(name);
    if (text.empty()) continue;
    const auto stream = number(text, UINT64_MAX);
    if (!stream) return bad_header(name, "a whole number of at least 1");
    if (std::string_view(name) == "X-Collage-Stream") {
      options.stream = producer::StreamId{*stream};
    } else {
      options.latest = *stream;
    }
  }
  return std::nullopt;
}

}  // namespace

OrProblem<RequestOptions> read_options(const RequestHead& head) {
  RequestOptions options;
  auto problem = read_deadline(head.header("X-Collage-Deadline-Ms"), options.submit);
  if (!problem) problem = read_priority(head.header("X-Collage-Priority"), options.submit);
  if (!problem) problem = read_streams(head, options.submit);
  const std::string_view key = head.header("Idempotency-Key");
  if (!problem && !is_key(key)) {
    problem = bad_header("Idempotency-Key", "at most 255 printable ASCII characters");
  }
  if (problem) return tl::unexpected(*problem);
  options.idempotency_key = key;
  if (const std::string_view trace = head.header("traceparent"); is_traceparent(trace)) {
    options.traceparent = trace;
  }
  return options;
}

}  // namespace gateway
