// The arrays of summary.json and run.json that sweeps, steps and producers add.
#pragma once

#include <nlohmann/json.hpp>

#include "replay/report/summary.h"

namespace replay::report {

// Adds to `out` those of the arrays "load", "seconds", "producers" and "groups" that the summary
// has.
void add_load(nlohmann::ordered_json& out, const Summary& summary);
// Reads them back.  Throws nlohmann::json::exception if they are damaged.
void read_load(const nlohmann::ordered_json& in, Summary& summary);

}  // namespace replay::report
