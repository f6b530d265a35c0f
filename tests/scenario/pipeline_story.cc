#include "tests/scenario/pipeline_story.h"

#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "producer/client.h"
#include "stages/classifier/classifier.h"
#include "stages/collage/assembler.h"
#include "stages/collage/collage_worker.h"
#include "stages/sink/sink.h"

namespace scenario {
namespace {

using namespace std::chrono_literals;
using stages::collage::Assembler;
using stages::collage::CollageWorker;

const std::vector<std::string> kLabels = {"tench",    "otter", "crane",  "fireboat", "teapot",
                                          "broccoli", "bison", "violin", "lighter"};
constexpr wire::Duration kHeartbeat = 100ms;
constexpr stages::Membership::Policy kMembership{.backoff_min = 20ms, .backoff_max = 200ms};

// The id shows as its upper half in notes: role, node and life.
wire::WorkerId worker_id(std::uint64_t role, std::uint64_t node, std::uint64_t life) {
  return {(role << 56) + (node << 48) + (life << 32), 0};
}

// A classifier and a collage-CNN take one task at a time, an assembler four batches.
wire::WorkerHello hello(wire::WorkerId id, wire::Role role, const Command& command) {
  const bool single = role == wire::Role::classifier;
  const std::size_t capacity = single                          ? command.number("capacity", 1)
                               : role == wire::Role::assembler ? 4
                                                               : 1;
  const auto grid = static_cast<std::uint8_t>(single ? 0 : command.number("grid", 2));
  return {id,
          role,
          {wire::labels_hash(kLabels), grid, single ? "s1" : "c1"},
          static_cast<std::uint32_t>(capacity)};
}

}  // namespace

std::string PipelineStory::run(const Command& command) {
  const std::string& name = command.name;
  if (name == "pipeline") return make(command), "";
  if (!world_) command.fail("there is no pipeline yet");
  if (name == "advance") return advance(parse_duration(command.word(0)));
  if (name == "count") return count(command);
  if (name == "service") {
    const std::string& time = command.word(1);
    world_->set_service(command.word(0),
                        time == "never" ? std::nullopt : std::optional(parse_duration(time)));
    return "";
  }
  if (name == "submit") {
    submit(command);
  } else if (name == "cancel") {
    cancel(command);
  } else if (name == "kill") {
    for (const std::string& node : command.words) world_->kill(node);
  } else if (name == "start") {
    for (const std::string& node : command.words) world_->start(node);
  } else {
    command.fail("unknown command");
  }
  return advance(0ms);
}

void PipelineStory::make(const Command& command) {
  world_ = std::make_unique<World>(kLabels);
  nodes_ = {"broker", "sink"};
  add_broker(command);
  add_sink(command);
  add_stages(command);
  add_client(command);
  for (const std::string& node : nodes_) world_->start(node);
  (void)advance(10ms);
}

void PipelineStory::add_broker(const Command& command) {
  broker::Policy policy;
  policy.grid = static_cast<int>(command.number("grid", 2));
  policy.linger = command.duration("linger", 20ms);
  policy.redundancy = broker::named_redundancy(command.text("policy")).value();
  policy.hedge_after = command.duration("hedge_after", 400ms);
  policy.hedge_rate_max = command.real("hedge_rate_max", 1);
  policy.task_age_max = command.duration("task_age_max", 5s);
  policy.heartbeat = kHeartbeat;
  policy.deadline = command.duration("deadline", 1s);
  policy.image_bytes_max = 1000;
  policy.open_bytes_max = 100'000;
  policy.open_request_max = command.number("open_request_max", 100);
  policy.producer_max = 1;
  policy.producer_credit = 100;
  policy.worker_max = 9;
  policy.retry_after = 50ms;
  policy.correction_window = command.duration("correction_window", 1s);
  policy.correction_max = command.number("correction_max", 100);
  policy.drain_max = 1s;
  policy.labels = kLabels;
  const auto make_one = [policy](std::uint64_t life) {
    return std::make_unique<broker::Broker>(policy, wire::Epoch{life});
  };
  world_->add("broker", make_one, 0ms);
}

void PipelineStory::add_sink(const Command& command) {
  stages::sink::Sink::Policy policy;
  policy.joiner = {.open_batch_max = 64,
                   .orphan_max = 64,
                   .gate = static_cast<float>(command.real("gate", 0)),
                   .classes = kLabels.size()};
  policy.patience.learned = false;
  policy.patience.initial = command.duration("patience", 250ms);
  policy.patience.max = wire::kDurationMax;
  policy.patience.worker_max = 9;
  policy.collage_first = command.text("policy") == "collage-first";
  policy.membership = kMembership;
  const auto make_one = [policy](std::uint64_t life) {
    return std::make_unique<stages::sink::Sink>(worker_id(4, 0, life), policy);
  };
  world_->add("sink", make_one, 0ms);
  world_->connect("sink", stages::sink::kBroker, "broker", broker::kWorkers);
}

void PipelineStory::add_stages(const Command& command) {
  namespace classifier = stages::classifier;
  for (std::uint64_t n = 0; n < command.number("classifiers", 4); ++n) {
    const std::string node = "c" + std::to_string(n);
    const auto make_one = [command, n](std::uint64_t life) {
      return std::make_unique<classifier::Classifier>(
          hello(worker_id(1, n, life), wire::Role::classifier, command), kMembership, std::nullopt);
    };
    world_->add(node, make_one, command.duration("service", 50ms));
    world_->connect(node, classifier::kBroker, "broker", broker::kWorkers);
    world_->connect(node, classifier::kSink, "sink", stages::sink::kStages);
    nodes_.push_back(node);
  }
  const auto make_assembler = [command](std::uint64_t life) {
    return std::make_unique<Assembler>(
        hello(worker_id(2, 0, life), wire::Role::assembler, command), wire::Epoch{life},
        Assembler::Policy{.membership = kMembership, .heartbeat = kHeartbeat});
  };
  world_->add("assembler", make_assembler, 0ms);
  world_->connect("assembler", Assembler::kBroker, "broker", broker::kWorkers);
  world_->connect("assembler", Assembler::kSink, "sink", stages::sink::kStages);
  const auto make_collage = [command](std::uint64_t life) {
    return std::make_unique<CollageWorker>(
        hello(worker_id(3, 0, life), wire::Role::collage, command), kMembership, std::nullopt);
  };
  world_->add("collage", make_collage, command.duration("collage_service", 60ms));
  world_->connect("collage", CollageWorker::kAssembler, "assembler", Assembler::kCollage);
  world_->connect("collage", CollageWorker::kSink, "sink", stages::sink::kStages);
  nodes_.insert(nodes_.end(), {"assembler", "collage"});
}

void PipelineStory::add_client(const Command& command) {
  producer::Policy policy;
  policy.producer = {1, 1};
  policy.deadline = command.duration("deadline", 1s);
  policy.grace = 100ms;
  policy.hello_min = 50ms;
  policy.hello_max = 200ms;
  policy.hello_jitter = 0;
  policy.corrections = command.number("corrections", 0) == 1;
  const auto make_one = [policy](std::uint64_t) {
    return std::make_unique<producer::Client>(policy);
  };
  world_->add("client", make_one, 0ms);
  world_->connect("client", 0, "broker", broker::kProducers);
  nodes_.push_back("client");
}

void PipelineStory::submit(const Command& command) {
  auto& client = dynamic_cast<producer::Client&>(*world_->machine("client"));
  std::optional<producer::StreamId> stream;
  if (!command.words.empty()) stream = producer::StreamId{1};
  for (const auto& [id, name] : command.options) {
    const auto submitted = client.submit(
        {std::stoull(id)}, wire::Payload(wire::Payload::Bytes(name.begin(), name.end())),
        {.stream = stream}, world_->now());
    if (submitted != producer::Client::Submitted::queued) command.fail("the client is full");
  }
}

void PipelineStory::cancel(const Command& command) {
  auto& client = dynamic_cast<producer::Client&>(*world_->machine("client"));
  for (const std::string& id : command.words) {
    if (!client.cancel({std::stoull(id)}, world_->now())) out_ += "image " + id + " is not open\n";
  }
}

std::string PipelineStory::advance(wire::Duration by) {
  world_->run(world_->now() + by, [this](const std::string& node) {
    for (const std::string& note : world_->take_notes()) out_ += note + "\n";
    if (node == "client") take_results();
  });
  return std::exchange(out_, {});
}

void PipelineStory::take_results() {
  auto& client = dynamic_cast<producer::Client&>(*world_->machine("client"));
  for (const producer::Delivered& one : client.take_results()) {
    const wire::Result& result = one.result;
    out_ += to_text(world_->now().since_start) + " image " + std::to_string(result.request.value);
    if (result.status == wire::ResultStatus::answered) {
      out_ += ": " + result.predictions.at(0).name + ", " + std::string(to_string(result.source)) +
              ", after " + to_text(one.latency);
    } else {
      out_ += " is " + std::string(to_string(result.status));
      if (result.reason != wire::Reason::none) out_ += ", " + std::string(to_string(result.reason));
      if (one.local) out_ += ", says the client itself";
    }
    out_ += "\n";
  }
  for (const producer::Correction& one : client.take_corrections()) {
    const wire::Correction& correction = one.correction;
    out_ += to_text(world_->now().since_start) + " image " +
            std::to_string(correction.request.value) +
            " is corrected: " + correction.predictions.at(0).name + ", " +
            std::string(to_string(correction.source)) + ", after " + to_text(one.latency) + "\n";
  }
}

std::string PipelineStory::count(const Command& command) {
  machine::Machine* machine = world_->machine(command.word(0));
  wire::Status status;
  if (const auto* broker = dynamic_cast<const broker::Broker*>(machine)) status = broker->status();
  if (const auto* sink = dynamic_cast<const stages::sink::Sink*>(machine)) status = sink->status();
  std::string out;
  for (std::size_t i = 1; i < command.words.size(); ++i) {
    const std::string& name = command.words[i];
    const auto found = std::find_if(status.counters.begin(), status.counters.end(),
                                    [&](const wire::Counter& one) { return one.name == name; });
    if (found == status.counters.end()) command.fail("no counter is called " + name);
    out += name + " " + std::to_string(found->value) + "\n";
  }
  return out;
}

}  // namespace scenario
