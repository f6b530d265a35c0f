// Which build of which protocol this is.
#pragma once

#include <string>

namespace runtime {

// "0.1.0".
std::string version();
// The commit the build was made from, 12 hex digits, with "+" if files had changed; "unknown"
// outside a checkout.
std::string commit();
// "collage 0.1.0, protocol 2, commit 0123456789ab".
std::string version_text();

}  // namespace runtime
