// How the broker spends work to avoid lateness, as plain values.
//
// Mechanism and policy apart: Broker obeys whatever stands here; the names users write in
// pipeline.yaml are looked up by named_redundancy().
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/heartbeat.h"
#include "wire/types.h"

namespace broker {

// What may stand in for a straggler.
struct Redundancy {
  enum class Hedge : std::uint8_t {
    never,
    p95,       // After the p95 of the ages of recent answers, as the sink has learned it.
    late_p95,  // After 1.1 x that: the collage has had its chance.
    budget,    // After the learned quantile whose hedges cost as much as a collage.
  };
  int singles_per_image = 1;   // s-CNN workers that an image is sent to at once.
  int collages_per_batch = 0;  // Assemblers that make a collage of the same batch.
  Hedge hedge = Hedge::never;
  // Number of s-CNN workers that an image may go to; the first of them that is free takes it.  They
  // are drawn in turn at admission.  0: it may go to any worker.  This is what tied requests come
  // to (Dean and Barroso 2013): an image stands in the queues of several workers, and the first to
  // begin takes it out of the others.  No policy of pipeline.yaml has it, since one line for all
  // workers is never worse; experiments do (replay/load/policy_variant.h).
  int ties = 0;
};

// The redundancy of a policy by its name (policy_names.h); nullopt for any other name.
// "collage-first" differs from "collage" in the sink's patience only.
std::optional<Redundancy> named_redundancy(std::string_view name);
// The names of all policies, for error messages.
const std::vector<std::string>& redundancy_names();

// How many images of a producer go in its turn, when producers share the stages: by the name of the
// producer's key, or by its id as 32 hexadecimal digits in lower case.
using Weights = std::map<std::string, std::uint32_t, std::less<>>;
inline constexpr std::uint32_t kWeightMax = 100;

// Returns the weight of a producer; 1 if it has none by its key or its id.  `key_name` is empty on
// links without keys.
std::uint32_t weight_of(const Weights& weights, std::string_view key_name, wire::ProducerId id);

// The section `broker` of pipeline.yaml; the defaults stand here alone.  `grid`, `redundancy` and
// `labels` come from other places of the file (runtime/pipeline).
struct Policy {
  // Batching.
  int grid = 3;  // Tiles per side; a batch has grid x grid slots.
  wire::Duration linger = std::chrono::milliseconds(20);  // How long a batch waits for images.
  // Late workers.
  Redundancy redundancy;
  wire::Duration hedge_after =
      std::chrono::milliseconds(400);  // Until a quantile has been learned.
  double hedge_rate_max = 0.2;         // Hedges started per image admitted, over the long run.
  double suspect_factor = 3;  // A task older than this x the learned p99 makes its worker suspect.
  wire::Duration task_age_max =
      std::chrono::seconds(3);  // A worker that holds a task longer is dead.
  wire::Duration heartbeat =
      std::chrono::milliseconds(500);  // An idle peer sends a message at least this often.
  // Admission.
  wire::Duration deadline = std::chrono::seconds(5);  // The default, and the longest allowed.
  std::size_t image_bytes_max = std::size_t{16} << 20;
  std::size_t open_bytes_max = std::size_t{1} << 30;  // Bytes of all images held at once.
  std::size_t open_request_max = 4096;
  std::size_t producer_max = 256;
  std::size_t producer_credit = 256;  // Open requests per producer.
  std::size_t worker_max = 1024;      // Workers of each role.
  std::size_t sink_max = 1;           // The number of the pipeline's endpoints for answers.
  wire::Duration correction_window = std::chrono::seconds(2);  // After a collage answer; 0: never.
  std::size_t correction_max = 4096;  // Collage answers remembered for corrections.
  // Under overload (overload.h): whether images without an s-CNN go into collages.
  bool brownout = true;
  wire::Duration wait_max = std::chrono::seconds(1);  // Longer expected waits are refused.
  wire::Duration retry_after = std::chrono::milliseconds(100);  // The hint with each refusal.
  Weights weights;                                              // From 1 to kWeightMax.
  wire::Duration drain_max = std::chrono::seconds(4);  // Then open requests end as `missing`.
  // Class names of the model that every stage must serve, in order; from its manifest.
  std::vector<std::string> labels;

  // How long a peer may be silent: three missed heartbeats plus half an interval of slack.
  wire::Duration silence_max() const { return machine::silence_max(heartbeat); }
};

}  // namespace broker
