// The runs of a scenario: one for each policy, and for each point of a sweep.
//
//     a sweep      numbers of collage stages x rates x policies
//     floods       each policy with all producers, then without those that flood
//
// Pure.
#pragma once

#include <string>
#include <vector>

#include "replay/load/load_generator.h"
#include "replay/load/scenario.h"

namespace replay::load {

// One producer of a run.
struct Sender {
  std::string name;   // "polite-3"; the group's name if the group has one producer.
  std::string group;  // Name of the group.
  wire::Priority priority = wire::Priority::normal;
};

// One run: `scenario` has its rate, its number of collage stages and its producers.
struct Point {
  Scenario scenario;
  PolicyVariant policy{};
  std::string name{};  // The policy's, unique in the scenario unless it sweeps: "none-alone".
  bool alone = false;  // Without the producers that flood.
};

// The runs of a scenario in order.  A policy that makes no use of collage stages runs for the first
// of their numbers only.
std::vector<Point> points_of(const Scenario& scenario);

// Mean rate of all producers in images a second; 0 if it is not known.
double offered_per_second(const Scenario& scenario);

// How many images `batches` batches of the whole scenario are for a point: without producers that
// flood fewer, so that it takes as long.  Never less than one batch.
std::size_t images_of(const Point& point, const Scenario& whole, std::size_t batches);

// The producers of a scenario in the order of their indices; empty if it has but one.
std::vector<Sender> senders_of(const Scenario& scenario);

// Sets the arrivals of every producer, and whether refused images are sent again: they are not
// where refusals are what is measured, in sweeps, steps and among several producers.
void set_load(LoadGenerator::Options& options, const Scenario& scenario, bool sweeps);

}  // namespace replay::load
