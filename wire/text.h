// Text that is shown to people, checked before it is believed to be text.
#pragma once

#include <string>
#include <string_view>

#include "wire/types.h"

namespace wire {

// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool valid_utf8(std::string_view text);

// The first eight hexadecimal digits of a worker's id, as logs and pages have it.
std::string short_name(WorkerId id);

}  // namespace wire
