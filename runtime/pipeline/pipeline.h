// pipeline.yaml as values: every process reads and validates the whole file.
//
// Each machine reads its own section (broker::read_policy, stages::sink::read_policy,
// stages::read_policy) and owns its defaults; this room puts the sections together and checks them
// against one another.  It stands above the machines for that reason, unlike the other rooms of
// runtime/.  Paths are resolved against the file's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "broker/policy.h"
#include "runtime/pipeline/latency.h"
#include "runtime/service/service_config.h"
#include "stages/policy.h"
#include "stages/sink/sink.h"
#include "wire/types.h"

namespace runtime {

struct Pipeline {
  struct Models {
    std::filesystem::path single, collage;  // Manifests; they exist.
  };
  struct Endpoints {
    std::string producers, workers, answers, collage;
  };
  // HTTP ports; that of a stage is for index 0, and those of higher indices follow.
  struct HttpPorts {
    std::uint16_t broker = 9570, sink = 9571, classifier = 9600, collage = 9700, collage_cnn = 9800;
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
  broker::Policy broker;            // Complete but for `labels`.
  stages::sink::Sink::Policy sink;  // Complete but for the joiner's `classes`.
  stages::Policy stages;
  HttpPorts http;
  std::optional<Emulation> emulation;
};

// Throws ConfigError with one line 'FILE:LINE:COLUMN: key: what is wrong, what is allowed'.
Pipeline load_pipeline(const std::filesystem::path& file);

// The same from text; `file` names it and resolves its paths.
Pipeline parse_pipeline(const std::string& text, const std::filesystem::path& file);

}  // namespace runtime
