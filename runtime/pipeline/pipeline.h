// pipeline.yaml as values, read whole and validated whole, whichever process reads it.
//
// Each folder's config.cc turns its part into the policies of its machines.  Paths are resolved
// against the file's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/document.h"
#include "runtime/loop/log.h"
#include "runtime/pipeline/latency.h"
#include "wire/types.h"

namespace runtime {

struct Pipeline {
  struct Models {
    std::filesystem::path single, collage;  // Manifests; they exist.
  };
  struct Endpoints {
    std::string producers, workers, answers, collage;
  };
  struct Broker {
    wire::Duration linger{}, hedge_after{}, deadline{};
    double hedge_rate_max = 0;
    double suspect_factor = 0;
    wire::Duration task_age_max{}, heartbeat{}, retry_after{}, drain_max{};
    std::size_t image_bytes_max = 0, open_bytes_max = 0, open_request_max = 0;
    std::size_t producer_max = 0, producer_credit = 0, worker_max = 0;
    wire::Duration correction_window{};
    std::size_t correction_max = 0;
  };
  struct Sink {
    bool learned = true;
    wire::Duration patience_initial{}, patience_min{}, patience_max{};
    std::size_t window = 0;
    double gate = 0;
    std::size_t open_batch_max = 0, orphan_max = 0;
  };
  struct Stages {
    std::uint32_t classifier_capacity = 0;
    std::uint32_t batches_max = 0;
    std::uint32_t collage_capacity = 0;
    std::int64_t pixels_max = 0;
    int side_max = 0;
  };
  // Where a process listens for HTTP (runtime/http.h); a port is that of index 0, others follow.
  struct Http {
    std::string address;  // Empty: nowhere.
    std::uint16_t broker = 0, sink = 0, classifier = 0, collage = 0, collage_cnn = 0;
  };
  // Answers are held until a latency drawn as that says has passed.
  struct Emulation {
    Latency latency;
    std::uint64_t seed = 0;
    // These stages, by names such as classifier-3 or collage-0, take slow_factor times as long,
    // from slow_after their first task and for slow_for.
    std::vector<std::string> slow;
    double slow_factor = 1;
    wire::Duration slow_after{}, slow_for{};
  };

  std::filesystem::path file;
  int grid = 0;
  std::string policy;  // One of broker::kPolicyNames.
  std::size_t top_k = 0;
  Models models;
  Endpoints endpoints;
  Broker broker;
  Sink sink;
  Stages stages;
  Http http;
  std::optional<Emulation> emulation;
  std::optional<std::filesystem::path> keys;  // The folder; none: nothing is encrypted.
  spdlog::level::level_enum log_level = spdlog::level::info;
  LogFormat log_format = LogFormat::text;
  bool log_requests = false;                 // Each step in the life of each request.
  std::vector<Document::Resolved> resolved;  // Every key as it holds, defaults included.
};

// Throws ConfigError with one line 'FILE:LINE:COLUMN: key: what is wrong, what is allowed'.
Pipeline load_pipeline(const std::filesystem::path& file);

// The same from text; `file` names it and resolves its paths.
Pipeline parse_pipeline(const std::string& text, const std::filesystem::path& file);

}  // namespace runtime
