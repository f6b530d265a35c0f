// The parts of the page's JSON; dashboard.h has the whole.  Times are in seconds, ages up to `now`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stages/sink/sink.h"

namespace stages::sink {

using Json = nlohmann::ordered_json;

// The name of a class; its number if the labels have no such class.
std::string name_of(const std::vector<std::string>& labels, wire::ClassId label);

// A slot of a batch: its state, answer and age.
Json slot_json(const DashboardState::Slot& slot, const std::vector<std::string>& labels,
               wire::Instant now);

// The first 200 workers, those first that people should look at first: what the broker says of
// each, with what it has answered.
Json workers_json(const Sink& sink, const std::vector<std::string>& labels, wire::Instant now);

// Why a worker is in its state, in words: "its last tasks took 612 ms, usual are 150 ms".
std::string reason_text(const wire::WorkerReport& worker);

// The command that shows the worker's log on its host; empty if where it runs is not known.
std::string log_command(const wire::Location& location);

}  // namespace stages::sink
