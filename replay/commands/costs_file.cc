#include "replay/commands/costs_file.h"

#include <nlohmann/json.hpp>

#include "models/research/atomic_file.h"
#include "runtime/config/config_error.h"

namespace replay {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBytesMax = 64 * 1024;

double positive(const Json& json, const char* key) {
  const double value = json.at(key).get<double>();
  if (value > 0) return value;
  throw std::domain_error(std::string(key) + " is not above 0");
}

}  // namespace

StoredCosts read_costs(const std::filesystem::path& file) {
  const std::string text = runtime::read_config_file(file.string(), kBytesMax);
  try {
    const Json json = Json::parse(text);
    StoredCosts stored;
    stored.costs.single_s = positive(json, "single_s");
    stored.costs.collage_s = positive(json, "collage_s");
    stored.costs.decode = wire::Duration(json.at("decode_ns").get<std::int64_t>());
    stored.link = wire::Duration(json.at("link_ns").get<std::int64_t>());
    if (stored.costs.decode < wire::Duration{} || stored.link < wire::Duration{}) {
      throw std::domain_error("a time is below 0");
    }
    stored.models = json.at("models").get<std::vector<std::string>>();
    stored.machine = json.at("machine").get<std::string>();
    return stored;
  } catch (const std::exception& error) {
    throw runtime::ConfigError(file.string() + ": is no file of costs: " + error.what());
  }
}

std::optional<StoredCosts> earlier_costs(const std::filesystem::path& file,
                                         const std::vector<std::string>& models,
                                         const std::string& machine) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  StoredCosts stored = read_costs(file);
  if (stored.models != models || stored.machine != machine) return std::nullopt;
  return stored;
}

void write_costs(const std::filesystem::path& file, const StoredCosts& stored) {
  const Json json = {{"single_s", stored.costs.single_s},
                     {"collage_s", stored.costs.collage_s},
                     {"decode_ns", stored.costs.decode.count()},
                     {"link_ns", stored.link.count()},
                     {"models", stored.models},
                     {"machine", stored.machine}};
  models::write_text(file, json.dump(2) + "\n");
}

}  // namespace replay
