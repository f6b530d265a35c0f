// Where this process runs: what a stage tells the broker for the people who will look for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/message.h"

namespace runtime {

// Host name, systemd unit and process id of this process, and `index` as given.
wire::Location process_location(std::uint32_t index);

// The name of the service unit in a text like that of /proc/self/cgroup, such as
// "collage-classifier@3" (without ".service"); empty if the process runs in none.
std::string unit_of(std::string_view cgroups);

}  // namespace runtime
