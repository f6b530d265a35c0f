#include "replay/sim/experiment.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "broker/broker.h"
#include "replay/load/strikes.h"
#include "stages/sink/sink.h"
#include "wire/check.h"

namespace replay::sim {
namespace {

constexpr std::size_t kViolationsMax = 16;
constexpr std::size_t kDigits = 2;  // Of a token that an answer spells.

FleetPolicy fleet_of(const ExperimentOptions& options) {
  FleetPolicy fleet = options.fleet;
  fleet.producers = 0;  // The driver is one.
  fleet.broker.labels = token_labels();
  fleet.sink.joiner.classes = fleet.broker.labels.size();
  fleet.link = {.latency = options.costs.link, .jitter = {}, .faulty = false};
  for (const load::Fault& fault : options.faults) {
    if (fault.what == load::Fault::What::link) fleet.faulty.insert(fault.node);
  }
  return fleet;
}

TokenRunner::Policy runner_of(const ExperimentOptions& options) {
  TokenRunner::Policy runner;
  runner.slots = options.driver.slots;
  runner.digits = kDigits;
  runner.single.least = options.costs.single;
  runner.paste.least = options.costs.paste;
  runner.collage.least = options.costs.collage;
  return runner;
}

class Replay {
 public:
  Replay(const ExperimentOptions& options, load::Driver::Listener listener)
      : options_(options),
        told_(std::move(listener)),
        strikes_(load::strikes_of(options.faults)),
        rng_(options.seed),
        runner_(runner_of(options), rng_.split()),
        world_({}, rng_.split()),
        fleet_(fleet_of(options), world_, runner_, rng_.split()) {
    const NodeId node = world_.add("driver");
    world_.connect(node, load::Driver::kBroker, fleet_.broker(), broker::kProducers,
                   {.latency = options.costs.link});
    world_.connect(node, load::Driver::kSink, fleet_.sink(), stages::sink::kStages,
                   {.latency = options.costs.link});
    fleet_.start_all();
    load::Driver::Options own = options.driver;
    for (const load::Strike& strike : strikes_) own.marks.push_back(strike.at);
    auto driver = std::make_unique<load::Driver>(std::move(own), client_policy(), listener_of());
    driver_ = driver.get();
    world_.start(node, std::move(driver));
  }

  Experiment run() {
    while (!driver_->finished()) {
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
    return policy;
  }

  load::Driver::Listener listener_of() {
    load::Driver::Listener own = told_;
    own.image = [](std::size_t image) { return make_image(image + 1, true); };
    own.on_answer = [this](const load::Answer& answer) { judge(answer); };
    own.on_mark = [this](std::size_t mark, wire::Instant at) {
      plan(mark);
      if (told_.on_mark) told_.on_mark(mark, at);
    };
    return own;
  }

  void violation(std::string what) {
    if (out_.violations.size() < kViolationsMax) out_.violations.push_back(std::move(what));
  }

  void judge(const load::Answer& answer) {
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
    if (told_.on_answer) told_.on_answer(answer);
  }

  // The driver is in its turn: what befalls the others comes right after it.
  void plan(std::size_t mark) {
    world_.at(world_.now(), [this, strike = strikes_[mark]] {
      this->strike(options_.faults[strike.fault], strike.begins);
    });
  }

  void strike(const load::Fault& fault, bool begins) {
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
    out_.work = load::work_done(*driver_);
    out_.seconds = wire::to_seconds(world_.now() - driver_->begun());
    out_.events = world_.events();
    if (!driver_->completed()) violation("the fleet was not ready in time, or stood still");
    if (driver_->answered() != options_.driver.images) violation("an image has no answer");
    if (runner_.bad_pictures() > 0) violation("an assembler made a bad picture");
    for (const std::string& fault : world_.faults_found()) violation(fault);
  }

  const ExperimentOptions& options_;
  const load::Driver::Listener told_;
  const std::vector<load::Strike> strikes_;
  machine::Rng rng_;
  TokenRunner runner_;
  World world_;
  Fleet fleet_;
  load::Driver* driver_ = nullptr;
  std::vector<bool> seen_;
  Experiment out_;
};

}  // namespace

Experiment run_experiment(const ExperimentOptions& options, load::Driver::Listener listener) {
  return Replay(options, std::move(listener)).run();
}

}  // namespace replay::sim
