// How a producer behaves, as plain values: Client obeys whatever stands here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "wire/types.h"

namespace producer {

struct Policy {
  wire::ProducerId producer;
  wire::Duration deadline = std::chrono::seconds(10);     // Of a request that names none; > 0.
  wire::Duration grace = std::chrono::milliseconds(500);  // Let the broker say `missing` first.
  std::size_t open_max = 1024;                            // Open requests and untaken results.
  std::size_t open_bytes_max = std::size_t{1} << 30;  // Of their images, but one is always taken.
  wire::Duration hello_min = std::chrono::milliseconds(100);  // Back-off of unanswered hellos.
  wire::Duration hello_max = std::chrono::seconds(5);
  double hello_jitter = 0.25;              // The back-off is shortened by up to this part.
  std::uint32_t hello_unanswered_max = 3;  // Beyond it, the broker has fallen silent.
  bool retry_refused = true;               // Of full, no_credit, draining: until the deadline.
  wire::Duration retry_min = std::chrono::milliseconds(20);  // Least wait before a retry.
  wire::Duration resubmit_after{};    // Send again if unanswered for so long; 0 for never.
  bool corrections = false;           // Ask for them.
  std::size_t correction_max = 1024;  // Collage answers remembered for that; untaken corrections.
};

}  // namespace producer
