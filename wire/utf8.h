// UTF-8 validation: every text that crosses the wire must be well-formed.
#pragma once

#include <string_view>

namespace wire {

// Returns true if `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing
// above U+10FFFF).
bool valid_utf8(std::string_view text);

}  // namespace wire
