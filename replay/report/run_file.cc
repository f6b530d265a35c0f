#include "replay/report/run_file.h"

#include <sodium/utils.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "replay/report/event_reader.h"
#include "replay/report/load_json.h"
#include "wire/types.h"

namespace replay::report {
namespace {

using Json = nlohmann::ordered_json;

Json json(const Example& example) {
  Json out = {{"batch", example.batch}, {"mixed", example.mixed}, {"slots", Json::array()}};
  if (!example.collage.empty()) out["collage"] = example.collage;
  for (const ExampleSlot& slot : example.slots) {
    out["slots"].push_back({{"image", slot.image},
                            {"source", slot.source},
                            {"answer", slot.answer},
                            {"probability", slot.probability},
                            {"truth", slot.truth},
                            {"latency_s", slot.latency_s}});
  }
  return out;
}

Example example_of(const Json& in) {
  Example example{.batch = in.at("batch"), .mixed = in.at("mixed"), .slots = {}};
  example.collage = in.value("collage", "");
  for (const Json& slot : in.at("slots")) {
    example.slots.push_back({.image = slot.at("image"),
                             .source = slot.at("source"),
                             .answer = slot.at("answer"),
                             .probability = slot.at("probability"),
                             .truth = slot.at("truth"),
                             .latency_s = slot.at("latency_s")});
  }
  return example;
}

Json json(const PolicyRun& run) {
  Json out = {{"name", run.name},
              {"images", run.images()},
              {"extra_work", run.extra_work},
              {"violations", run.violations},
              {"seconds", run.seconds},
              {"examples", Json::array()}};
  for (const Example& example : run.examples) out["examples"].push_back(json(example));
  return out;
}

// Adds to a run what its events do not contain.
void complete(PolicyRun& run, const Json& in) {
  if (in.at("images") != run.images()) {
    throw std::runtime_error("the events of this folder are of another run");
  }
  run.extra_work = in.at("extra_work");
  run.violations = in.at("violations");
  run.seconds = in.at("seconds");
  run.examples.clear();
  for (const Json& example : in.at("examples")) run.examples.push_back(example_of(example));
}

Summary summary_of(const Json& in) {
  Summary summary;
  summary.scenario = in.at("scenario");
  summary.mode = in.at("mode");
  summary.about = in.at("about");
  summary.seed = in.at("seed");
  summary.commit = in.at("commit");
  summary.version = in.value("version", "");
  summary.host = in.value("host", "");
  summary.date = in.value("date", "");
  summary.machine = in.at("machine");
  summary.command = in.at("command");
  summary.slots = in.at("slots");
  if (summary.slots < 1 || summary.slots > wire::kSlotsMax) {
    throw std::runtime_error("has collages of " + std::to_string(summary.slots) + " slots");
  }
  summary.collage_time_ratio = in.at("collage_time_ratio");
  summary.single_inference_s = in.at("single_inference_s");
  summary.collage_inference_s = in.at("collage_inference_s");
  for (const auto& [image, picture] : in.at("pictures").items()) {
    summary.pictures[std::stoul(image)] = picture;
  }
  read_load(in, summary);
  return summary;
}

Summary read(std::ifstream& in, const std::filesystem::path& events) {
  const Json file = Json::parse(in);
  Summary summary = summary_of(file);
  summary.policies = read_events(events, summary.seed, summary.slots);
  const Json& policies = file.at("policies");
  if (policies.size() != summary.policies.size()) {
    throw std::runtime_error("has other policies than the events of its folder");
  }
  for (const Json& policy : policies) {
    const std::string name = policy.at("name");
    const auto run = std::ranges::find(summary.policies, name, &PolicyRun::name);
    if (run == summary.policies.end()) {
      throw std::runtime_error("has other policies than the events of its folder");
    }
    complete(*run, policy);
  }
  return summary;
}

}  // namespace

std::string to_run_file(const Summary& summary) {
  Json out = {{"scenario", summary.scenario},
              {"mode", summary.mode},
              {"about", summary.about},
              {"seed", summary.seed},
              {"commit", summary.commit},
              {"version", summary.version},
              {"host", summary.host},
              {"date", summary.date},
              {"machine", summary.machine},
              {"command", summary.command},
              {"slots", summary.slots},
              {"collage_time_ratio", summary.collage_time_ratio},
              {"single_inference_s", summary.single_inference_s},
              {"collage_inference_s", summary.collage_inference_s}};
  out["policies"] = Json::array();
  for (const PolicyRun& run : summary.policies) out["policies"].push_back(json(run));
  add_load(out, summary);
  out["pictures"] = Json::object();
  for (const auto& [image, picture] : summary.pictures) {
    out["pictures"][std::to_string(image)] = picture;
  }
  return out.dump(1) + "\n";
}

Summary read_run(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "run.json";
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": cannot be read; a run writes it");
  try {
    return read(in, folder / "events.csv.gz");
  } catch (const EventError&) {
    throw;
  } catch (const std::exception& error) {  // Also errors of the JSON library and of std::stoul.
    throw std::runtime_error(file.string() + ": is no record of a run: " + error.what());
  }
}

std::string picture_of(const wire::Payload& png) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  const auto bytes = png.bytes();
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
  text.pop_back();  // The zero that ends it.
  return "data:image/png;base64," + text;
}

}  // namespace replay::report
