#include "wire/message.h"

#include <array>

#include "wire/fnv.h"

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
    case ResultStatus::superseded:
      return "superseded";
  }
  return "unknown";
}

std::string_view to_string(Priority priority) {
  switch (priority) {
    case Priority::low:
      return "low";
    case Priority::normal:
      return "normal";
    case Priority::high:
      return "high";
  }
  return "unknown";
}

std::string_view to_string(WorkerState state) {
  switch (state) {
    case WorkerState::ready:
      return "ready";
    case WorkerState::idle:
      return "idle";
    case WorkerState::leaving:
      return "leaving";
    case WorkerState::suspect:
      return "suspect";
    case WorkerState::probation:
      return "probation";
    case WorkerState::lost:
      return "lost";
  }
  return "unknown";
}

std::string_view to_string(LossCause cause) {
  switch (cause) {
    case LossCause::none:
      return "none";
    case LossCause::silence:
      return "silence";
    case LossCause::connection:
      return "connection";
    case LossCause::task_age:
      return "task_age";
  }
  return "unknown";
}

// A zero byte ends each name, so that {"ab", "c"} and {"a", "bc"} differ.
std::uint64_t labels_hash(const std::vector<std::string>& names) {
  Fnv hash;
  for (const std::string& name : names) {
    hash.add(name);
    hash.add(std::uint8_t{0});
  }
  return hash.value();
}

// docs/WIRE.md and the logs use these names, which differ from the names of some structs.
std::string_view kind(const Message& message) {
  static constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames = {
      "producer_hello", "worker_hello", "welcome",  "refuse",      "submit",       "result",
      "ready",          "assign",       "seal",     "drop",        "collage_task", "answer",
      "collage_answer", "opened",       "sealed",   "closed",      "settled",      "service",
      "probe",          "status",       "cancel",   "correction",  "corrected",    "withdraw",
      "workers",        "picture",      "redirect", "undelivered", "undecodable",  "authenticated",
      "drain"};
  return kNames[message.index()];
}

}  // namespace wire
