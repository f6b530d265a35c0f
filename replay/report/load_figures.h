// What became of the images of a run, by offered load, by second and by producer.
//
// Pure values, and their tables for a terminal of 80 columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace replay::report {

// Shares are fractions of the images offered, 0 to 1; times are seconds, of answered images only.
struct LoadPoint {
  std::string policy;
  std::size_t collages = 0;  // Collage stages.
  double per_second = 0;     // Mean rate of the images offered.
  std::uint64_t offered = 0;
  double answered = 0, refused = 0, missing = 0;
  double mean_s = 0, p50_s = 0, p99_s = 0;
  double collage_share = 0;
  double wasted_s = 0;  // Seconds of stages for answers that settled nothing, per image offered.
  // Share of the answers that are right: counted if the true classes are known, otherwise that of
  // the models on their test images, weighted by who answered.  nullopt if neither is known.
  std::optional<double> accuracy{};
  std::uint64_t violations = 0;
};

// The images that were meant to be sent in one second of the arrivals' cycle, over all cycles.
struct SecondFigures {
  std::string policy;
  double at_s = 0;        // Begin of the second.
  double per_second = 0;  // Mean rate of the images offered.
  std::uint64_t offered = 0, answered = 0, refused = 0, missing = 0;
  double p99_s = 0;
};

// The images of one producer, or of all producers of a group.
struct ProducerFigures {
  std::string policy;
  bool alone = false;        // Without the producers that flood.
  std::size_t collages = 0;  // Collage stages.
  double load = 0;           // Mean rate of the images of all producers.
  std::string producer{};    // Its name; the group's for all of a group.
  std::string priority{};
  std::uint64_t offered = 0;
  double answered = 0, refused = 0, missing = 0;
  double p50_s = 0, p99_s = 0;
};

// One policy before, during and after the highest load: the highest p99 of a second of each.
struct CrowdFigures {
  std::string policy;
  double before_s = 0, during_s = 0, after_s = 0;
  double answered = 0;  // Share of the images offered during it, 0 to 1.
  // How many seconds after its end a second is as those before it: its p99 not above the highest,
  // its share of answers not below the lowest of them.  nullopt if none is.
  std::optional<double> recovery_s{};
};

// One for each policy.  Requires that the seconds of a policy are together and in order of time.
std::vector<CrowdFigures> crowds_of(const std::vector<SecondFigures>& seconds);

// Milliseconds and per cent.
std::string load_table(const std::vector<LoadPoint>& points);
std::string crowd_table(const std::vector<CrowdFigures>& crowds);
// Rows of groups, with p99 relative to that of the same group alone if it ran alone.
std::string group_table(const std::vector<ProducerFigures>& groups);

}  // namespace replay::report
