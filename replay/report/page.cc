#include "replay/report/page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "wire/check.h"

namespace replay::report {

extern const std::string_view kPage;   // page.html, by the build.
extern const std::string_view kChart;  // Chart.js, by the build.

namespace {

constexpr std::size_t kTailPoints = 500;

// Points (seconds, share of values above) of a distribution, thinned, the far tail kept whole.
nlohmann::json tail(std::vector<double> values) {
  nlohmann::json points = nlohmann::json::array();
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  const std::size_t step = std::max<std::size_t>(1, values.size() / kTailPoints);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool far = values.size() - i <= kTailPoints;
    if (i % step == 0 || far) {
      points.push_back({values[i], static_cast<double>(values.size() - i - 1) / n});
    }
  }
  return points;
}

nlohmann::json page_data(const Summary& summary) {
  nlohmann::json data = nlohmann::json::parse(to_json(summary));
  data["about"] = summary.about;
  data["slots"] = summary.slots;
  data["machine"] = summary.machine;
  data["command"] = summary.command;
  data["collage_time_ratio"] = summary.collage_time_ratio;
  data["single_inference_s"] = summary.single_inference_s;
  data["collage_inference_s"] = summary.collage_inference_s;
  for (std::size_t i = 0; i < summary.policies.size(); ++i) {
    const PolicyRun& run = summary.policies[i];
    nlohmann::json& out = data["policies"][i];
    out["batch_s"] = run.batch_s;
    out["tail"] = tail(run.batch_s);
    out["simulated_tail"] = tail(run.simulated_batch_s);
    if (run.simulated.count > 0) {
      out["simulated"] = {{"p95_s", run.simulated.p95_s},
                          {"p99_s", run.simulated.p99_s},
                          {"p999_s", run.simulated.p999_s}};
    }
    out["single"] = run.single;
    out["collage"] = run.collage;
    out["hedge"] = run.hedge;
    out["unanswered"] = run.unanswered;
  }
  return data;
}

void replace(std::string& page, std::string_view mark, std::string_view with) {
  const std::size_t at = page.find(mark);
  COLLAGE_CHECK(at != std::string::npos);
  page.replace(at, mark.size(), with);
}

}  // namespace

std::string to_html(const Summary& summary) {
  // "</" inside a script element would end it.
  std::string data = page_data(summary).dump();
  for (std::size_t at = data.find("</"); at != std::string::npos; at = data.find("</", at + 3)) {
    data.replace(at, 2, "<\\/");
  }
  std::string page(kPage);
  replace(page, "@DATA@", data);
  replace(page, "@CHART@", kChart);
  return page;
}

}  // namespace replay::report
