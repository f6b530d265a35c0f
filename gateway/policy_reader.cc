#include "gateway/policy_reader.h"

#include <chrono>
#include <string_view>

namespace gateway {
namespace {

using runtime::Section;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::size_t count(Section& s, std::string_view key, std::int64_t min, std::int64_t max,
                  std::size_t fallback) {
  return static_cast<std::size_t>(s.integer(key, min, max, static_cast<std::int64_t>(fallback)));
}

void read_bounds(Section& s, Policy& p) {
  p.connections_max = count(s, "connections_max", 1, 16'384, p.connections_max);
  p.open_request_max = count(s, "open_request_max", 1, 1'000'000, p.open_request_max);
  p.images_max = count(s, "images_max", 1, 1024, p.images_max);
  p.body_bytes_max = s.bytes("body_bytes_max", 1, std::size_t{1} << 30, p.body_bytes_max);
  p.open_bytes_max = s.bytes("open_bytes_max", 1, std::size_t{1} << 40, p.open_bytes_max);
  if (p.body_bytes_max > p.open_bytes_max) {
    s.fail("open_bytes_max", "is less than body_bytes_max, expected room for at least one body");
  }
  p.idempotency_max = count(s, "idempotency_max", 0, 1'000'000, p.idempotency_max);
}

}  // namespace

Policy read_policy(Section section) {
  Policy p;
  p.address = section.text("address", p.address);
  p.port = static_cast<std::uint16_t>(section.integer("port", 1, 65'535, p.port));
  p.deadline = section.duration("deadline", milliseconds(1), hours(1), p.deadline);
  p.brokers = section.texts("brokers", p.brokers);
  p.failover_after =
      section.duration("failover_after", milliseconds(100), hours(1), p.failover_after);
  p.broker_wait = section.duration("broker_wait", {}, minutes(10), p.broker_wait);
  p.request_timeout =
      section.duration("request_timeout", milliseconds(100), hours(1), p.request_timeout);
  p.idle_timeout = section.duration("idle_timeout", milliseconds(100), hours(1), p.idle_timeout);
  p.write_timeout = section.duration("write_timeout", milliseconds(100), hours(1), p.write_timeout);
  p.idempotency_window = section.duration("idempotency_window", {}, hours(1), p.idempotency_window);
  read_bounds(section, p);
  return p;
}

}  // namespace gateway
