// Runs a scenario under each of its policies, live and in virtual time, and writes the reports.
//
//     for each mode: for each policy: run -> events.csv.gz; then run.json and the report
//     a sweep: for each mode: for each point: run -> its figures; then run.json and the report
//
// Everything that takes a model or an image is measured and read before (Inputs), so that this
// class links no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replay/commands/collage_picture.h"
#include "replay/commands/costs_file.h"
#include "replay/commands/samples.h"
#include "replay/load/mode.h"
#include "replay/load/points.h"
#include "replay/load/scenario.h"
#include "replay/report/events.h"
#include "replay/report/load_recorder.h"
#include "replay/report/recorder.h"
#include "replay/report/summary.h"
#include "runtime/loop/signals.h"
#include "runtime/pipeline/pipeline.h"

namespace replay {

class ScenarioRunner {
 public:
  struct Options {
    std::string scenario;            // The user's name of it, for the command in the report.
    std::filesystem::path pipeline;  // The pipeline file that the scenario changes.
    // Whether the pipeline of that file is up and is used as it is, instead of a fleet of the run.
    bool deployed = false;
    // Folder for the folders <scenario>-live (or -deployed) and <scenario>-sim.  If `alone`, it is
    // itself the folder of the live run, and its sub-folder sim that of the simulated run.
    std::filesystem::path out;
    bool alone = false;
    std::filesystem::path costs{};  // The file of costs that the user has given; may be empty.
    bool own_models = false;        // Whether the user has named models of his own.
  };
  struct Inputs {
    std::vector<Sample> samples;  // Images in the order of sending, then from the first one again.
    StoredCosts costs;
    // Shares of right answers on the test images, 0 to 1; nullopt if they are not known.
    std::optional<double> single_accuracy{}, collage_accuracy{};
    std::string machine;  // Processor and cores, for the report.
    std::string host{};   // Name of this host, for the report.
    // Draws the collage of a batch's images as the assembler does; a report of a live run shows it.
    // May be empty.
    DrawCollage draw_collage{};
    // Makes an image small enough for a report.  Empty: the samples are.
    std::function<wire::Payload(const wire::Payload& image)> thumbnail{};
  };

  // The folder of a run of the scenario in a mode.
  static std::filesystem::path folder(const Options& options, const std::string& scenario,
                                      load::Mode mode);
  // The file in it that has the costs.
  static constexpr const char* kCostsFile = "costs.json";

  // Live runs require samples.
  ScenarioRunner(Options options, load::Scenario scenario, Inputs inputs);

  // Runs the live (or deployed) and then the simulated batches of the scenario; each mode's folder
  // is complete before the next mode begins.  A stop signal ends the live run, whose report is
  // still written, and skips what follows.  Returns the exit code: 0, or 1 if the run was
  // interrupted or an invariant was broken.  Throws std::runtime_error if a fleet fails.
  int run(runtime::Signals& signals);

 private:
  load::Mode live_mode() const;
  std::filesystem::path folder(load::Mode mode) const;
  std::string command() const;
  std::vector<load::Point> points(load::Mode mode) const;
  std::vector<load::Fault> faults(load::Mode mode) const;
  runtime::Pipeline pipeline_of(const load::Point& point) const;
  load::LoadGenerator::Options generator_options(const load::Point& point, load::Mode mode) const;

  report::Summary empty_summary(load::Mode mode) const;
  report::Summary run_policies(load::Mode mode, std::size_t batches);
  // What a run has done, apart from its results.
  struct Ran {
    load::WorkDone work;
    std::vector<std::string> violations;
    double seconds = 0;  // Duration on the wall clock.
  };
  void run_policy(const load::Point& point, load::Mode mode, report::EventFile& events,
                  report::Summary& summary);
  void run_load(const load::Point& point, load::Mode mode, report::Summary& summary);
  Ran run_point(const load::Point& point, load::Mode mode, load::LoadGenerator::Listener listener);
  Ran run_live(const load::Point& point, load::LoadGenerator::Listener listener);
  Ran run_simulated(const load::Point& point, load::LoadGenerator::Listener listener);
  std::function<const std::string&(std::size_t)> truth(load::Mode mode) const;
  void print_violations(const std::string& name, const std::vector<std::string>& violations);
  const Sample& sample(std::size_t image) const;
  void keep_pictures(report::Summary& summary) const;
  void link_reports(report::Summary& live, report::Summary& simulated);
  void print(const report::Summary& summary, load::Mode mode) const;

  const Options options_;
  const load::Scenario scenario_;
  const Inputs inputs_;
  runtime::Signals* signals_ = nullptr;  // Borrowed by run().
  sim::Costs costs_;                     // The link is measured by the first live run.
  std::vector<load::Fault> faults_;      // The faults that the present mode can apply.
  bool interrupted_ = false;
  std::uint64_t violations_ = 0;
};

}  // namespace replay
