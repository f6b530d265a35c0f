// Images inside JSON: base64 (RFC 4648), as itself or as the data URL of a browser's canvas.
#pragma once

#include <optional>
#include <string_view>

#include "wire/payload.h"

namespace gateway {

// Returns the bytes; nullopt if the text is not base64 with its padding.  Line ends are skipped,
// and so is a beginning such as "data:image/png;base64,".
std::optional<wire::Payload> decode_base64(std::string_view text);

}  // namespace gateway
