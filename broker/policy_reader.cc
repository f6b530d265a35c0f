#include "broker/policy_reader.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string>
#include <string_view>

namespace broker {
namespace {

using runtime::Section;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

std::size_t count(Section& s, std::string_view key, std::int64_t max, std::size_t fallback) {
  return static_cast<std::size_t>(s.integer(key, 1, max, static_cast<std::int64_t>(fallback)));
}

void read_times(Section& s, Policy& p) {
  p.linger = s.duration("linger", {}, minutes(1), p.linger);
  p.hedge_after = s.duration("hedge_after", milliseconds(1), minutes(10), p.hedge_after);
  p.deadline = s.duration("deadline", milliseconds(1), hours(1), p.deadline);
  p.hedge_rate_max = s.number("hedge_rate_max", 0, 1, p.hedge_rate_max);
  p.suspect_factor = s.number("suspect_factor", 1, 1000, p.suspect_factor);
  p.task_age_max = s.duration("task_age_max", milliseconds(10), hours(1), p.task_age_max);
  p.heartbeat = s.duration("heartbeat", milliseconds(10), minutes(1), p.heartbeat);
  p.brownout = s.choice<bool>("overload", {{"brownout", true}, {"refuse", false}}, p.brownout);
  p.wait_max = s.duration("wait_max", {}, hours(1), p.wait_max);
  p.retry_after = s.duration("retry_after", milliseconds(1), minutes(1), p.retry_after);
  // Half a second less than the five seconds after which the service manager kills the process.
  p.drain_max = s.duration("drain_max", {}, milliseconds(4500), p.drain_max);
}

// An id may be written in capitals, as some tools print it; the name of a key stands as it is.
std::string weight_name(std::string name) {
  if (!is_producer_id(name)) return name;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

void read_weights(Section s, Policy& p) {
  for (const std::string& name : s.keys()) {
    const auto weight = static_cast<std::uint32_t>(s.integer(name, 1, kWeightMax, 1));
    const bool added = p.weights.emplace(weight_name(name), weight).second;
    if (!added) s.fail(name, "is the same producer as another key");
  }
}

void read_bounds(Section& s, Policy& p) {
  p.image_bytes_max = s.bytes("image_bytes_max", 1, std::size_t{1} << 30, p.image_bytes_max);
  p.open_bytes_max = s.bytes("open_bytes_max", 1, std::size_t{1} << 40, p.open_bytes_max);
  p.open_request_max = count(s, "open_request_max", 10'000'000, p.open_request_max);
  p.producer_max = count(s, "producer_max", 1'000'000, p.producer_max);
  p.producer_credit = count(s, "producer_credit", 1'000'000, p.producer_credit);
  p.worker_max = count(s, "worker_max", 100'000, p.worker_max);
  p.correction_window = s.duration("correction_window", {}, hours(1), p.correction_window);
  p.correction_max = count(s, "correction_max", 10'000'000, p.correction_max);
  if (p.image_bytes_max > p.open_bytes_max) {
    s.fail("open_bytes_max", "is less than image_bytes_max, expected room for at least one image");
  }
}

}  // namespace

bool is_producer_id(std::string_view name) {
  constexpr std::size_t kDigits = 32;
  return name.size() == kDigits &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

Policy read_policy(Section section) {
  Policy policy;
  read_times(section, policy);
  read_bounds(section, policy);
  read_weights(section.section("weights"), policy);
  return policy;
}

}  // namespace broker
