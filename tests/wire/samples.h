// One message of every kind that crosses the wire, in the order of their numbers, each field with
// a value of its own; docs/WIRE.md shows the same ones in hex.
#pragma once

#include <vector>

#include "wire/message.h"

namespace wire_test {

std::vector<wire::Message> samples();

}  // namespace wire_test
