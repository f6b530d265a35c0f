// Text that is shown to people, checked before it is believed to be text.
#pragma once

#include <string_view>

namespace wire {

// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool valid_utf8(std::string_view text);

}  // namespace wire
