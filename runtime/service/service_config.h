// The part of the configuration that the service layer needs: log, HTTP and keys.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/document.h"
#include "runtime/loop/log.h"

namespace runtime {

struct ServiceConfig {
  std::filesystem::path file;                 // Where the configuration was read from.
  std::string http_address;                   // The address to listen at; empty: no HTTP.
  std::optional<std::filesystem::path> keys;  // Folder of keys; nullopt: plain connections.
  spdlog::level::level_enum log_level = spdlog::level::info;
  LogFormat log_format = LogFormat::text;
  bool log_requests = false;                 // Log the trace events of every request.
  std::vector<Document::Resolved> resolved;  // Every key with the value in effect.
};

}  // namespace runtime
