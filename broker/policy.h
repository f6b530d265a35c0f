// How the broker spends work to avoid lateness, as plain values.
//
// Mechanism and policy apart: Broker obeys whatever stands here; the names users write in
// pipeline.yaml are looked up by named_redundancy().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/types.h"

namespace broker {

// What may stand in for a straggler.
struct Redundancy {
  enum class Hedge : std::uint8_t {
    never,
    p95,       // After the learned p95 of recent service.
    late_p95,  // After 1.1 x that: the collage has had its chance.
    budget,    // After the learned quantile whose hedges cost as much as a collage.
  };
  int copies = 1;  // s-CNN workers an image is sent to at once.
  int covers = 0;  // Collages made of each batch.
  Hedge hedge = Hedge::never;
  // An image may go to so many s-CNN workers only, drawn in turn at its admission, and goes to
  // whichever of them is free first: tied requests (Dean and Barroso 2013), of which the one that
  // begins cancels the others at once.  0: to all.  No policy of pipeline.yaml has it: one line for
  // all workers is never worse.
  int ties = 0;
};

// none, hedge, hedge-budget, duplicate, collage, collage-hedge, collage-two, collage-first;
// nullopt for anything else.  (collage-first differs from collage in the sink's patience only.)
std::optional<Redundancy> named_redundancy(std::string_view name);
// The names above, for error messages.
const std::vector<std::string>& redundancy_names();

struct Policy {
  // Batching.
  int grid = 3;             // Tiles a side; a batch has grid x grid slots.
  wire::Duration linger{};  // A batch waits this long for further images.
  // Patience with workers.
  Redundancy redundancy;
  wire::Duration hedge_after{};   // Until something has been learned.
  double hedge_rate_max = 0.2;    // Hedges started per image admitted, over the long run.
  double suspect_factor = 3;      // A task older than this x the learned p99 is suspicious.
  wire::Duration task_age_max{};  // A worker that holds a task longer is dead.
  wire::Duration heartbeat{};     // Peers speak at least this often; 3 missed are too many.
  // Admission.
  wire::Duration deadline{};  // The pipeline's own, and the longest a producer may ask.
  std::size_t image_bytes_max = 0;
  std::size_t open_bytes_max = 0;  // Of all images held.
  std::size_t open_request_max = 0;
  std::size_t producer_max = 0;
  std::size_t producer_credit = 0;     // Open requests a producer.
  std::size_t worker_max = 0;          // Of each role.
  wire::Duration correction_window{};  // For so long after a collage answer; 0 for never.
  std::size_t correction_max = 0;      // Collage answers that may be corrected, of all producers.
  wire::Duration retry_after{};        // The hint that goes with a refusal.
  wire::Duration drain_max{};          // A draining broker answers `missing` after this.
  // The model every stage must serve.
  std::vector<std::string> labels;

  // Three missed heartbeats, and a little for the road.
  wire::Duration silence_max() const { return heartbeat * 7 / 2; }
};

}  // namespace broker
