#include "replay/report/page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string_view>

#include "replay/report/headline.h"
#include "replay/report/run_file.h"
#include "wire/check.h"

namespace replay::report {

extern const std::string_view kPage;   // page.html, by the build.
extern const std::string_view kChart;  // Chart.js, by the build.

namespace {

constexpr std::size_t kTailPoints = 500;
constexpr std::size_t kTimeBins = 60;
constexpr std::size_t kKernels = 4000;
constexpr std::size_t kDensityPoints = 200;
constexpr std::size_t kHistogramMax = 20'000;  // Values of a histogram in the page; else thinned.

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

nlohmann::json thinned(const std::vector<double>& values) {
  const std::size_t step = values.size() / kHistogramMax + 1;
  nlohmann::json some = nlohmann::json::array();
  for (std::size_t i = 0; i < values.size(); i += step) some.push_back(values[i]);
  return some;
}

// How many answers of each source came in each of kTimeBins equal spans of the run.
nlohmann::json by_time(const PolicyRun& run) {
  const float end = run.answer_at_s.empty() ? 0 : *std::ranges::max_element(run.answer_at_s);
  const double span = std::max(1e-3, static_cast<double>(end)) / kTimeBins;
  std::map<char, std::vector<int>> counts;
  for (const char source : {'s', 'c', 'h', '-'}) counts[source].assign(kTimeBins, 0);
  for (std::size_t i = 0; i < run.answer_at_s.size(); ++i) {
    const auto bin = static_cast<std::size_t>(static_cast<double>(run.answer_at_s[i]) / span);
    counts[run.answer_source[i]][std::min(bin, kTimeBins - 1)] += 1;
  }
  return {{"span_s", span},
          {"single", counts['s']},
          {"collage", counts['c']},
          {"hedge", counts['h']},
          {"unanswered", counts['-']}};
}

// Points (seconds, density) of a Gaussian kernel estimate with Silverman's bandwidth, over at most
// kKernels of the values.
nlohmann::json density(const std::vector<double>& values, const Distribution& d) {
  nlohmann::json points = nlohmann::json::array();
  if (values.size() < 2 || d.sd_s <= 0) return points;
  const std::size_t step = std::max<std::size_t>(1, values.size() / kKernels);
  std::vector<double> some;
  for (std::size_t i = 0; i < values.size(); i += step) some.push_back(values[i]);
  const double n = static_cast<double>(some.size());
  // By the inner half rather than the deviation: a long tail must not smooth the bulk away.
  const double spread = std::min(d.sd_s, (d.p75_s - d.p25_s) / 1.34);
  const double width = 0.9 * std::max(spread, 1e-4) * std::pow(n, -0.2);
  for (std::size_t i = 0; i <= kDensityPoints; ++i) {
    const double x = d.p999_s * 1.05 * static_cast<double>(i) / kDensityPoints;
    double sum = 0;
    for (const double value : some) {
      const double z = (x - value) / width;
      sum += std::exp(-z * z / 2);
    }
    points.push_back({x, sum / (n * width * std::sqrt(2 * std::numbers::pi))});
  }
  return points;
}

// Adds to the figures of a policy what only the page shows: its plots, examples and counts.
void add_plots(nlohmann::json& out, const PolicyRun& run) {
  // An open loop has no batches; the page then plots its images.
  const bool batches = run.per_batch.count > 0;
  const std::vector<double>& values = batches ? run.batch_s : run.request_s;
  out["values_s"] = thinned(values);
  out["density"] = density(values, batches ? run.per_batch : run.per_request);
  out["tail"] = tail(values);
  out["simulated_tail"] = tail(run.simulated_batch_s);
  if (run.simulated.count > 0) {
    out["simulated"] = {{"mean_s", run.simulated.mean_s}, {"p50_s", run.simulated.p50_s},
                        {"p95_s", run.simulated.p95_s},   {"p99_s", run.simulated.p99_s},
                        {"p999_s", run.simulated.p999_s}, {"count", run.simulated.count}};
    out["p99_ci99_s"] = {run.per_batch.p99_lowest_s, run.per_batch.p99_highest_s};
  }
  out["by_time"] = by_time(run);
  for (const FaultMark& fault : run.faults) out["faults"].push_back({fault.at_s, fault.what});
  for (const HealthSample& h : run.health) {
    out["health"].push_back({h.at_s, h.classifiers + h.assemblers, h.suspect, h.on_probation});
  }
}

void add_counts(nlohmann::json& out, const PolicyRun& run) {
  out["judged"] = run.has_accuracy();
  out["single_right"] = run.single_right;
  out["collage_right"] = run.collage_right;
  out["hedge_right"] = run.hedge_right;
  out["single"] = run.single;
  out["collage"] = run.collage;
  out["hedge"] = run.hedge;
  out["unanswered"] = run.unanswered;
}

void add_headline(nlohmann::json& data, const Summary& summary) {
  const Headline first = headline(summary);
  data["headline"] = first.sentence;
  data["measure"] = first.measure;
  data["bars"] = nlohmann::json::array();
  for (const Bar& bar : first.bars) {
    data["bars"].push_back(
        {{"label", bar.label}, {"share", bar.share}, {"value", bar.value}, {"ours", bar.ours}});
  }
  data["see_also"] = nlohmann::json::array();
  for (const SeeAlso& other : summary.see_also) {
    data["see_also"].push_back({{"label", other.label}, {"page", other.page}});
  }
}

nlohmann::json page_data(const Summary& summary) {
  nlohmann::json data = nlohmann::json::parse(to_json(summary));
  data["about"] = summary.about;
  data["slots"] = summary.slots;
  data["machine"] = summary.machine;
  data["version"] = summary.version;
  data["host"] = summary.host;
  data["date"] = summary.date;
  add_headline(data, summary);
  data["command"] = summary.command;
  data["collage_time_ratio"] = summary.collage_time_ratio;
  data["single_inference_s"] = summary.single_inference_s;
  data["collage_inference_s"] = summary.collage_inference_s;
  for (const CrowdFigures& crowd : crowds_of(summary.seconds)) {
    data["crowd"].push_back(
        {{"policy", crowd.policy},
         {"before_s", crowd.before_s},
         {"during_s", crowd.during_s},
         {"after_s", crowd.after_s},
         {"recovery_s", crowd.recovery_s ? nlohmann::json(*crowd.recovery_s) : nlohmann::json()}});
  }
  const nlohmann::json kept = nlohmann::json::parse(to_run_file(summary));
  data["pictures"] = kept["pictures"];
  for (std::size_t i = 0; i < summary.policies.size(); ++i) {
    nlohmann::json& out = data["policies"][i];
    add_plots(out, summary.policies[i]);
    add_counts(out, summary.policies[i]);
    out["examples"] = kept["policies"][i]["examples"];
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
