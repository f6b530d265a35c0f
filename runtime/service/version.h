// The version, commit and protocol of this build.
#pragma once

#include <string>

namespace runtime {

// Returns the version of the project: "0.1.0".
std::string version();
// Returns 12 hexadecimal digits of the commit that was built, with "+" if files had been changed;
// "unknown" outside a checkout.
std::string commit();
// Returns all three in one line: "collage 0.1.0, protocol 3, commit 0123456789ab".
std::string version_text();

}  // namespace runtime
