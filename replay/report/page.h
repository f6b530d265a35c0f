// report.html: one self-contained page, light and dark, that needs no network.
#pragma once

#include <string>

#include "replay/report/summary.h"

namespace replay::report {

// The page of a summary.  Plots are drawn by Chart.js (MIT licence), inlined.
std::string to_html(const Summary& summary);

}  // namespace replay::report
