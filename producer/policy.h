// The settings of a Client, as plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "wire/types.h"

namespace producer {

struct Policy {
  wire::ProducerId producer;
  // The deadline of a request that names none; > 0.
  wire::Duration deadline = std::chrono::seconds(10);
  // How long after the deadline the client waits for the broker's `missing` before its own.
  wire::Duration grace = std::chrono::milliseconds(500);
  // Bounds the open requests and untaken results together.
  std::size_t open_max = 1024;
  // Bounds the bytes of the images of open requests; one image is always accepted.
  std::size_t open_bytes_max = std::size_t{1} << 30;
  // The back-off of unanswered hellos, which doubles from `hello_min` to `hello_max`.
  wire::Duration hello_min = std::chrono::milliseconds(100);
  wire::Duration hello_max = std::chrono::seconds(5);
  // The back-off towards a broker that was lost is at most this, or an eighth of the time since it
  // was heard: a broken connection is made again within two seconds, and then a hello is needed.
  wire::Duration hello_lost = std::chrono::milliseconds(250);
  double hello_jitter = 0.25;              // The largest random reduction of the back-off, 0..1.
  std::uint32_t hello_unanswered_max = 3;  // Unanswered hellos after which the broker is silent.
  // Whether requests refused as full, no_credit, draining or overloaded are sent again until their
  // deadline.
  bool retry_refused = true;
  // Whether those refused as draining are, even if the others are not: the broker's successor may
  // be near.
  bool retry_draining = false;
  wire::Duration retry_min = std::chrono::milliseconds(20);  // The least wait before a retry.
  // Time after which a request of which the broker has said no word is sent again; doubles with
  // each `duplicate_request`, which says that the broker has it; 0: never.
  wire::Duration resubmit_after = std::chrono::seconds(1);
  bool corrections = false;           // Whether the client asks for corrections.
  std::size_t correction_max = 1024;  // Bounds remembered collage answers, and untaken corrections.
  // The links 0 to brokers - 1 lead to brokers, in the order of preference; > 0.
  std::uint32_t brokers = 1;
  // Of several brokers, one of which nothing was heard for so long, though a hello of at least half
  // that age is unanswered, is left for the next; > 0.
  wire::Duration failover_after = std::chrono::seconds(1);
  // A preferred broker gets requests again when it has answered its hellos for so long.
  wire::Duration return_after = std::chrono::seconds(2);
};

}  // namespace producer
