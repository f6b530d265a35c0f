// The date, for people alone: no decision depends on it.
#pragma once

#include <string>

namespace runtime {

// Returns the date and the time of day: "2026-11-29 06:20 UTC".
std::string utc_date();

}  // namespace runtime
