// The policies a user may pick, by name: what stands in for a straggler, and when.
//
// The broker reads a name as what to start (broker/policy.h), the sink as how long to wait.
#pragma once

#include <array>
#include <string_view>

namespace broker {

inline constexpr std::array<std::string_view, 8> kPolicyNames = {
    "none",           // One s-CNN per image, and patience.
    "hedge",          // Another s-CNN after the learned p95.
    "hedge-budget",   // The same after the quantile whose extra work equals the collage's.
    "duplicate",      // Two s-CNNs at once; the first answer wins.
    "collage",        // A collage of every batch; no hedge.
    "collage-hedge",  // And a hedge where the collage straggles too.
    "collage-two",    // Two collages on two stages.
    "collage-first",  // A collage, with patience 0.
};

inline constexpr std::string_view kCollageFirst = kPolicyNames[7];

}  // namespace broker
