// The version, commit and protocol of this build (version.cmake says how versions are made).
#pragma once

#include <string>

namespace runtime {

// Returns the version of the build, which is also that of its packages and increases from commit to
// commit: "0.2.0", "0.2.0~179.g0123456789ab".
std::string version();
// Returns 12 hexadecimal digits of the commit that was built, with "+" if files had been changed;
// "unknown" outside a checkout.
std::string commit();
// Returns all three in one line: "collage 0.2.0, protocol 3, commit 0123456789ab".
std::string version_text();

}  // namespace runtime
