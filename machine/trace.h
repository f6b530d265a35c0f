// The text form of ids and trace events, shared by logs, pages and `collage-replay trace`.
#pragma once

#include <cstdint>
#include <string>

#include "machine/machine.h"
#include "wire/types.h"

namespace machine {

// Returns the first eight hexadecimal digits of an id of at least 64 random bits.
std::string short_name(std::uint64_t id);
template <class Tag>
std::string short_name(wire::LongId<Tag> id) {
  return short_name(id.high);
}
// Returns all 32 hexadecimal digits of a long id, in lower case.
std::string long_name(std::uint64_t high, std::uint64_t low);
template <class Tag>
std::string long_name(wire::LongId<Tag> id) {
  return long_name(id.high, id.low);
}

// Returns one line: "step=dispatched batch=1f2e3d4c:17 slot=5 age_ms=4.125 worker=0a1b2c3d".
// Unknown values are left out; "admitted" and "placed" also have batch_age_ms.
std::string trace_text(const TraceEvent& event);

}  // namespace machine
