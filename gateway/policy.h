// The section `gateway` of pipeline.yaml as plain values; the defaults stand here alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "wire/types.h"

namespace gateway {

struct Policy {
  std::string address = "127.0.0.1";  // The address to listen at.
  std::uint16_t port = 8080;          // 0 to let the system choose one.
  // The deadline of a request that names none; the broker's own bounds every deadline.
  wire::Duration deadline = std::chrono::seconds(5);
  // The endpoints of brokers, in the order of preference; each has a pipeline of its own.  The
  // reader of the whole file puts the own pipeline's here if there is none.
  std::vector<std::string> brokers{};
  // Of several brokers, one that is silent for so long is left for the next; > 0.
  wire::Duration failover_after = std::chrono::seconds(1);
  // How long requests wait for a broker, once none answers, before they end with 503.
  wire::Duration broker_wait = std::chrono::seconds(2);
  std::size_t connections_max = 1024;       // Further connections get 503 at once.
  std::size_t open_request_max = 1024;      // Images open at once; more are refused with 429.
  std::size_t images_max = 64;              // Images in one HTTP request.
  std::size_t body_bytes_max = 32u << 20;   // One body; a larger one is refused with 413.
  std::size_t open_bytes_max = 512u << 20;  // All bodies held at once; more are refused with 429.
  // The time in which the head and the body of a request must have arrived.
  wire::Duration request_timeout = std::chrono::seconds(30);
  wire::Duration idle_timeout = std::chrono::seconds(60);   // Between two requests.
  wire::Duration write_timeout = std::chrono::seconds(10);  // To take in a response.
  // How long, and how many, responses are remembered by their Idempotency-Key; they may take
  // an eighth of open_bytes_max in addition.
  wire::Duration idempotency_window = std::chrono::minutes(1);
  std::size_t idempotency_max = 1024;
};

}  // namespace gateway
