// pipeline.yaml as values: every process reads and validates the whole file.
//
// Each machine reads its own section (broker::read_policy, stages::sink::read_policy,
// stages::read_policy, gateway::read_policy) and owns its defaults.  This folder combines the
// sections and checks them against one another; therefore it includes the machines, unlike the
// other folders of runtime/. Paths are resolved against the file's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "broker/policy.h"
#include "gateway/policy.h"
#include "runtime/pipeline/latency.h"
#include "runtime/service/service_config.h"
#include "stages/policy.h"
#include "stages/sink/sink.h"
#include "wire/types.h"

namespace runtime {

struct Pipeline {
  struct Models {
    std::filesystem::path single, collage;  // Existing files: the manifests of the models.
    std::string precision = "auto";         // auto, float or bfloat16: serving_policy.h.
  };
  struct Endpoints {
    std::string producers, workers, collage;
    std::vector<std::string> answers;  // One for each sink, by its index; 1 to kSinksMax.
  };
  // HTTP ports.  A stage's port is the one of index 0; index i has the port + i.  Sink i has the
  // port + 10 i, for a gateway may have the next one.
  struct HttpPorts {
    std::uint16_t broker = 9570, sink = 9571, gateway = 9572, classifier = 9600, collage = 9700,
                  collage_cnn = 9800;
  };
  // Every stage holds its answer until a latency drawn from `latency` has passed.
  struct Emulation {
    Latency latency;
    std::uint64_t seed = 0;
    // The stages named here ("classifier-3", "collage-0") take slow_factor times as long, from
    // slow_after their first task on, for slow_for.
    std::vector<std::string> slow;
    double slow_factor = 4;
    wire::Duration slow_after{}, slow_for = wire::kDurationMax;
  };

  ServiceConfig service;
  int grid = 3;
  std::string policy = "collage-hedge";  // One of broker::kPolicyNames.
  std::size_t top_k = 3;
  Models models;
  Endpoints endpoints;
  broker::Policy broker;            // Complete except for `labels`, which the model has.
  stages::sink::Sink::Policy sink;  // Complete except for the joiner's `classes`.
  stages::Policy stages;
  gateway::Policy gateway;  // Without `gateway.brokers`, its broker is endpoints.producers.
  HttpPorts http;
  std::optional<Emulation> emulation;
};

// Throws ConfigError with one line 'FILE:LINE:COLUMN: key: what is wrong, what is allowed'.
Pipeline load_pipeline(const std::filesystem::path& file);

// Like load_pipeline, but from text; `file` names it in errors and resolves its paths.
Pipeline parse_pipeline(const std::string& text, const std::filesystem::path& file);

}  // namespace runtime
