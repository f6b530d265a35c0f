#include "replay/load/points.h"

#include <algorithm>
#include <utility>

#include "broker/policy.h"
#include "wire/check.h"

namespace replay::load {
namespace {

bool uses_collages(const PolicyVariant& policy) {
  const auto redundancy = broker::named_redundancy(policy.pipeline_policy);
  COLLAGE_CHECK(redundancy.has_value());
  return redundancy->collages_per_batch > 0 || policy.collages_classify;
}

// Rate of one producer of the group in images a second.
double rate_of(const ProducerGroup& group, const Scenario& scenario) {
  if (group.share == 0) return group.per_second;
  return group.share * scenario.arrivals.mean_per_second() / static_cast<double>(group.count);
}

void add_point(std::vector<Point>& points, const Scenario& scenario, const PolicyVariant& policy) {
  points.push_back({.scenario = scenario, .policy = policy, .name = policy.name});
  const auto& groups = scenario.producers;
  if (std::ranges::none_of(groups, &ProducerGroup::floods)) return;
  Point alone = points.back();
  std::erase_if(alone.scenario.producers, [](const ProducerGroup& one) { return one.floods; });
  alone.name += "-alone";
  alone.alone = true;
  points.push_back(std::move(alone));
}

}  // namespace

std::vector<Point> points_of(const Scenario& scenario) {
  std::vector<Point> points;
  const std::vector<std::size_t> counts = scenario.collage_counts.empty()
                                              ? std::vector<std::size_t>{scenario.collages}
                                              : scenario.collage_counts;
  const std::vector<double> loads =
      scenario.loads.empty() ? std::vector<double>{scenario.arrivals.per_second} : scenario.loads;
  for (const std::size_t& collages : counts) {
    for (const double load : loads) {
      Scenario one = scenario;
      one.collages = collages;
      one.arrivals.per_second = load;
      for (const PolicyVariant& policy : scenario.policies) {
        if (&collages == &counts.front() || uses_collages(policy)) add_point(points, one, policy);
      }
    }
  }
  return points;
}

double offered_per_second(const Scenario& scenario) {
  if (scenario.producers.empty()) return scenario.arrivals.mean_per_second();
  double all = 0;
  for (const ProducerGroup& group : scenario.producers) {
    all += rate_of(group, scenario) * static_cast<double>(group.count);
  }
  return all;
}

std::size_t images_of(const Point& point, const Scenario& whole, std::size_t batches) {
  const std::size_t images = batches * whole.slots();
  if (!point.alone) return images;
  const double part = offered_per_second(point.scenario) / offered_per_second(whole);
  return std::max(whole.slots(), static_cast<std::size_t>(static_cast<double>(images) * part));
}

std::vector<Sender> senders_of(const Scenario& scenario) {
  std::vector<Sender> senders;
  for (const ProducerGroup& group : scenario.producers) {
    for (std::size_t i = 0; i < group.count; ++i) {
      senders.push_back(
          {.name = group.count == 1 ? group.name : group.name + "-" + std::to_string(i),
           .group = group.name,
           .priority = group.priority});
    }
  }
  return senders;
}

void set_load(LoadGenerator::Options& options, const Scenario& scenario, bool sweeps) {
  options.arrivals = scenario.arrivals;
  options.retry_refused =
      !sweeps && scenario.producers.empty() && scenario.arrivals.kind != Arrivals::Kind::steps;
  std::vector<Arrivals> all;
  for (const ProducerGroup& group : scenario.producers) {
    all.insert(all.end(), group.count,
               {.kind = Arrivals::Kind::poisson, .per_second = rate_of(group, scenario)});
  }
  if (all.empty()) return;
  options.arrivals = all.front();
  for (const Sender& sender : senders_of(scenario)) options.priorities.push_back(sender.priority);
  options.more.assign(all.begin() + 1, all.end());
}

}  // namespace replay::load
