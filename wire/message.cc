#include "wire/message.h"

#include <array>

namespace wire {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::classifier:
      return "classifier";
    case Role::assembler:
      return "assembler";
    case Role::collage:
      return "collage";
    case Role::sink:
      return "sink";
  }
  return "unknown";
}

std::string_view to_string(Source source) {
  switch (source) {
    case Source::none:
      return "none";
    case Source::single:
      return "single";
    case Source::collage:
      return "collage";
    case Source::hedge:
      return "hedge";
  }
  return "unknown";
}

std::string_view to_string(ResultStatus status) {
  switch (status) {
    case ResultStatus::answered:
      return "answered";
    case ResultStatus::missing:
      return "missing";
    case ResultStatus::rejected:
      return "rejected";
    case ResultStatus::refused:
      return "refused";
    case ResultStatus::cancelled:
      return "cancelled";
  }
  return "unknown";
}

// FNV-1a over the names, each ended by a zero byte; a fingerprint against mistakes, not attacks.
std::uint64_t labels_hash(const std::vector<std::string>& names) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (const std::string& name : names) {
    for (const char c : name) add(static_cast<unsigned char>(c));
    add(0);
  }
  return hash;
}

std::string_view kind(const Message& message) {
  static constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames = {
      "producer_hello", "worker_hello", "welcome", "refuse",     "submit",       "result",
      "ready",          "assign",       "seal",    "drop",       "collage_task", "answer",
      "collage_answer", "opened",       "sealed",  "closed",     "settled",      "service",
      "probe",          "status",       "cancel",  "correction", "corrected",    "undelivered",
      "undecodable",    "drain"};
  return kNames[message.index()];
}

}  // namespace wire
