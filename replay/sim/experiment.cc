#include "replay/sim/experiment.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "broker/broker.h"
#include "replay/load/fault_schedule.h"
#include "stages/sink/sink.h"
#include "wire/check.h"

namespace replay::sim {
namespace {

constexpr std::size_t kViolationsMax = 16;
constexpr std::size_t kDigits = 2;  // Bytes of a token that an answer spells.

FleetPolicy fleet_of(const ExperimentOptions& options) {
  FleetPolicy fleet = options.fleet;
  fleet.producers = 0;  // The load generator is the only producer.
  fleet.broker.labels = token_labels();
  fleet.sink.joiner.classes = fleet.broker.labels.size();
  fleet.link = {.latency = options.costs.link, .jitter = {}, .faulty = false};
  for (const load::Fault& fault : options.faults) {
    if (fault.what == load::Fault::What::link) fleet.faulty.insert(fault.node);
  }
  return fleet;
}

TokenExecutor::Policy executor_policy(const ExperimentOptions& options) {
  TokenExecutor::Policy executor;
  executor.slots = options.generator.slots;
  executor.digits = kDigits;
  executor.single.least = options.costs.single;
  executor.paste.least = options.costs.paste;
  executor.collage.least = options.costs.collage;
  return executor;
}

class Replay {
 public:
  Replay(const ExperimentOptions& options, load::LoadGenerator::Listener listener)
      : options_(options),
        listener_(std::move(listener)),
        schedule_(load::fault_schedule(options.faults)),
        rng_(options.seed),
        executor_(executor_policy(options), rng_.split()),
        world_({}, rng_.split()),
        fleet_(fleet_of(options), world_, executor_, rng_.split()) {
    const NodeId node = world_.add("load-generator");
    for (std::size_t i = 0; i < options.generator.producers(); ++i) {
      world_.connect(node, load::LoadGenerator::broker_link(i), fleet_.broker(), broker::kProducers,
                     {.latency = options.costs.link});
    }
    world_.connect(node, load::LoadGenerator::kSink, fleet_.sink(), stages::sink::kStages,
                   {.latency = options.costs.link});
    fleet_.start_all();
    load::LoadGenerator::Options own = options.generator;
    for (const load::FaultEvent& event : schedule_) own.marks.push_back(event.at);
    auto generator =
        std::make_unique<load::LoadGenerator>(std::move(own), client_policy(), listener_of());
    generator_ = generator.get();
    world_.start(node, std::move(generator));
  }

  Experiment run() {
    while (!generator_->finished()) {
      if (world_.step()) continue;
      violation("nothing moves any more");
      break;
    }
    finish();
    return std::move(out_);
  }

 private:
  producer::Policy client_policy() {
    producer::Policy policy;
    policy.producer = {rng_.next(), rng_.next()};
    policy.deadline = options_.fleet.broker.deadline;
    // The broker's credit is what bounds the open requests.
    policy.open_max = std::max(policy.open_max, options_.fleet.broker.producer_credit);
    return policy;
  }

  load::LoadGenerator::Listener listener_of() {
    load::LoadGenerator::Listener own = listener_;
    own.image = [](std::size_t image) { return make_image(image + 1, true); };
    own.on_answer = [this](const load::Answer& answer) { check_answer(answer); };
    own.on_mark = [this](std::size_t mark, wire::Instant at) {
      plan_fault(mark);
      if (listener_.on_mark) listener_.on_mark(mark, at);
    };
    return own;
  }

  void violation(std::string what) {
    if (out_.violations.size() < kViolationsMax) out_.violations.push_back(std::move(what));
  }

  void check_answer(const load::Answer& answer) {
    const wire::Result& result = answer.result;
    const bool answered = result.status == wire::ResultStatus::answered;
    const std::string name = "image " + std::to_string(answer.image);
    if (answer.image >= seen_.size()) seen_.resize(answer.image + 1, false);
    if (seen_[answer.image]) violation(name + " is answered twice");
    seen_[answer.image] = true;
    if (answered && !spells(result.predictions, answer.image + 1, kDigits)) {
      violation(name + " got another's answer");
    }
    const auto mix = [this](std::uint64_t value) {
      out_.hash = (out_.hash ^ value) * 0x100000001b3u;
      out_.hash ^= out_.hash >> 29;
    };
    mix(static_cast<std::uint64_t>(answer.latency.count()));
    mix(answer.image << 8 | static_cast<std::uint64_t>(result.source));
    if (listener_.on_answer) listener_.on_answer(answer);
  }

  // The load generator is in the middle of its turn, so the fault follows as an event of its own at
  // the same instant.
  void plan_fault(std::size_t mark) {
    world_.at(world_.now(), [this, event = schedule_[mark]] {
      apply(options_.faults[event.fault], event.begins);
    });
  }

  void apply(const load::Fault& fault, bool begins) {
    using What = load::Fault::What;
    for (const NodeId node : fleet_.nodes_of(fault.node)) {
      if (fault.what == What::stop && begins) world_.stall(node, fault.length);
      if (fault.what != What::kill && fault.what != What::restart) continue;
      if (begins && world_.alive(node)) world_.crash(node);
      if (!begins && !world_.alive(node)) fleet_.start(node);
    }
    if (fault.what == What::garbage) fleet_.set_garbage(fault.node, begins);
    if (fault.what == What::link) world_.set_faults(begins ? link_faults(fault) : LinkFaults{});
  }

  static LinkFaults link_faults(const load::Fault& fault) {
    LinkFaults faults;
    faults.loss = fault.loss;
    faults.delay = fault.delay > wire::Duration{} ? 1 : 0;
    faults.delay_max = fault.delay;
    return faults;
  }

  void finish() {
    out_.work = load::work_done(*generator_);
    out_.seconds = wire::to_seconds(world_.now() - generator_->begun());
    out_.events = world_.events();
    if (!generator_->completed()) violation("the fleet was not ready in time, or stood still");
    if (generator_->answered() != options_.generator.images) violation("an image has no answer");
    if (executor_.bad_pictures() > 0) violation("an assembler made a bad picture");
    for (const std::string& fault : world_.bugs_found()) violation(fault);
  }

  const ExperimentOptions& options_;
  const load::LoadGenerator::Listener listener_;
  const std::vector<load::FaultEvent> schedule_;
  machine::Rng rng_;
  TokenExecutor executor_;
  World world_;
  Fleet fleet_;
  load::LoadGenerator* generator_ = nullptr;
  std::vector<bool> seen_;
  Experiment out_;
};

}  // namespace

Experiment run_experiment(const ExperimentOptions& options,
                          load::LoadGenerator::Listener listener) {
  return Replay(options, std::move(listener)).run();
}

}  // namespace replay::sim
