// Text for people: whether what a peer sent is any, and ids and steps as logs have them.
#pragma once

#include <string>
#include <string_view>

#include "wire/machine.h"
#include "wire/types.h"

namespace wire {

// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool valid_utf8(std::string_view text);

// The first eight hexadecimal digits of an id of 64 random bits or more, as logs and pages have it.
std::string short_name(std::uint64_t id);
template <class Tag>
std::string short_name(LongId<Tag> id) {
  return short_name(id.high);
}

// One line: "step=dispatched batch=1f2e3d4c:17 slot=5 age_ms=4.125 worker=0a1b2c3d".  What is not
// known is left out; "admitted" has batch_age_ms, too.
std::string step_text(const Step& step);

}  // namespace wire
