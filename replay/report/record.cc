#include "replay/report/record.h"

#include <sodium/utils.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "replay/report/event_reader.h"

namespace replay::report {
namespace {

using Json = nlohmann::ordered_json;

Json json(const Example& example) {
  Json out = {{"batch", example.batch}, {"helped", example.helped}, {"slots", Json::array()}};
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
  Example example{.batch = in.at("batch"), .helped = in.at("helped"), .slots = {}};
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
              {"judged", run.judged},
              {"extra_work", run.extra_work},
              {"violations", run.violations},
              {"seconds", run.seconds},
              {"examples", Json::array()}};
  for (const Example& example : run.examples) out["examples"].push_back(json(example));
  return out;
}

// What the events do not say of a run.
void complete(PolicyRun& run, const Json& in) {
  run.judged = in.at("judged");
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
  summary.machine = in.at("machine");
  summary.command = in.at("command");
  summary.slots = in.at("slots");
  summary.collage_time_ratio = in.at("collage_time_ratio");
  summary.single_inference_s = in.at("single_inference_s");
  summary.collage_inference_s = in.at("collage_inference_s");
  for (const auto& [image, picture] : in.at("pictures").items()) {
    summary.pictures[std::stoul(image)] = picture;
  }
  return summary;
}

Json parse(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": cannot be read; it is written by a run");
  return Json::parse(in);
}

}  // namespace

std::string to_record(const Summary& summary) {
  Json out = {{"scenario", summary.scenario},
              {"mode", summary.mode},
              {"about", summary.about},
              {"seed", summary.seed},
              {"commit", summary.commit},
              {"machine", summary.machine},
              {"command", summary.command},
              {"slots", summary.slots},
              {"collage_time_ratio", summary.collage_time_ratio},
              {"single_inference_s", summary.single_inference_s},
              {"collage_inference_s", summary.collage_inference_s}};
  out["policies"] = Json::array();
  for (const PolicyRun& run : summary.policies) out["policies"].push_back(json(run));
  out["pictures"] = Json::object();
  for (const auto& [image, picture] : summary.pictures) {
    out["pictures"][std::to_string(image)] = picture;
  }
  return out.dump(1) + "\n";
}

Summary read_run(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "run.json";
  try {
    const Json in = parse(file);
    Summary summary = summary_of(in);
    summary.policies = read_events(folder / "events.csv.gz", summary.seed, summary.slots);
    const Json& policies = in.at("policies");
    if (policies.size() != summary.policies.size()) {
      throw std::runtime_error(file.string() + ": has other policies than the events beside it");
    }
    for (std::size_t i = 0; i < policies.size(); ++i) complete(summary.policies[i], policies[i]);
    return summary;
  } catch (const nlohmann::json::exception& error) {
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
