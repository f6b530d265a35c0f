#include "runtime/pipeline/pipeline.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/policy_names.h"

namespace runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::filesystem::path existing(Section& section, std::string_view key, const Pipeline& pipeline) {
  const std::string name = section.text(key);
  const std::filesystem::path path =
      pipeline.file.parent_path() / name;  // An absolute path replaces the folder.
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    section.fail(key, "there is no file " + in_quotes(name));
  }
  return path;
}

bool numeric_port(std::string_view endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  const std::string_view port = endpoint.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != port.npos) {
    return false;
  }
  const int number = std::stoi(std::string(port));
  return number >= 1 && number <= 65535;
}

std::string endpoint(Section& section, std::string_view key, bool inproc_allowed) {
  std::string text = section.text(key);
  const bool tcp = text.starts_with("tcp://") && text.size() > 8 && numeric_port(text) &&
                   text.rfind(':') > std::string_view("tcp://").size();
  const bool inproc = inproc_allowed && text.starts_with("inproc://") && text.size() > 9;
  if (!tcp && !inproc) {
    section.fail(key, "is " + in_quotes(text) +
                          ", want tcp://HOST:PORT with a port from 1 to 65535" +
                          (inproc_allowed ? " or inproc://NAME" : ""));
  }
  return text;
}

void read_models(Section root, Pipeline& p) {
  Section models = root.section("models");
  p.models.single = existing(models, "single", p);
  p.models.collage = existing(models, "collage", p);
}

void read_endpoints(Section root, Pipeline& p) {
  Section section = root.section("endpoints");
  p.endpoints = {endpoint(section, "producers", false), endpoint(section, "workers", false),
                 endpoint(section, "answers", false), endpoint(section, "collage", true)};
  const std::vector<std::pair<std::string_view, std::string>> all = {
      {"producers", p.endpoints.producers},
      {"workers", p.endpoints.workers},
      {"answers", p.endpoints.answers},
      {"collage", p.endpoints.collage}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].second == all[j].second) {
        section.fail(all[i].first, "is the same as " + std::string(all[j].first) +
                                       ", want an endpoint of its own");
      }
    }
  }
}

void read_broker(Section root, Pipeline& p) {
  Section s = root.section("broker");
  const auto count = [&s](std::string_view key, std::int64_t max, std::int64_t fallback) {
    return static_cast<std::size_t>(s.integer(key, 1, max, fallback));
  };
  Pipeline::Broker& b = p.broker;
  b.linger = s.duration("linger", {}, minutes(1), milliseconds(20));
  b.hedge_after = s.duration("hedge_after", milliseconds(1), minutes(10), milliseconds(400));
  b.deadline = s.duration("deadline", milliseconds(1), hours(1), seconds(5));
  b.hedge_rate_max = s.number("hedge_rate_max", 0, 1, 0.2);
  b.suspect_factor = s.number("suspect_factor", 1, 1000, 3);
  b.task_age_max = s.duration("task_age_max", milliseconds(10), hours(1), seconds(3));
  b.heartbeat = s.duration("heartbeat", milliseconds(10), minutes(1), milliseconds(500));
  b.retry_after = s.duration("retry_after", milliseconds(1), minutes(1), milliseconds(100));
  b.drain_max = s.duration("drain_max", {}, milliseconds(4500), seconds(4));
  b.image_bytes_max = s.bytes("image_bytes_max", 1, std::size_t{1} << 30, std::size_t{16} << 20);
  b.open_bytes_max = s.bytes("open_bytes_max", 1, std::size_t{1} << 40, std::size_t{1} << 30);
  b.open_request_max = count("open_request_max", 10'000'000, 4096);
  b.producer_max = count("producer_max", 1'000'000, 256);
  b.producer_credit = count("producer_credit", 1'000'000, 256);
  b.worker_max = count("worker_max", 100'000, 1024);
  b.correction_window = s.duration("correction_window", {}, hours(1), seconds(2));
  b.correction_max = count("correction_max", 10'000'000, 4096);
  if (b.image_bytes_max > b.open_bytes_max) {
    s.fail("open_bytes_max", "is less than image_bytes_max, want room for one image at least");
  }
}

void read_sink(Section root, Pipeline& p) {
  Section s = root.section("sink");
  Pipeline::Sink& k = p.sink;
  k.learned = s.choice<bool>("patience", {{"learned", true}, {"fixed", false}}, true);
  k.patience_initial =
      s.duration("patience_initial", milliseconds(1), minutes(10), milliseconds(250));
  k.patience_min = s.duration("patience_min", milliseconds(1), minutes(10), milliseconds(25));
  k.patience_max = s.duration("patience_max", milliseconds(1), minutes(10), seconds(2));
  k.window = static_cast<std::size_t>(s.integer("window", 8, 100'000, 128));
  k.gate = s.number("gate", 0, 1, 0);
  k.open_batch_max = static_cast<std::size_t>(s.integer("open_batch_max", 1, 10'000'000, 4096));
  k.orphan_max = static_cast<std::size_t>(s.integer("orphan_max", 0, 10'000'000, 4096));
}

// linger < patience < hedge_after < deadline, at the key that breaks it.
void check_order(Section root, const Pipeline& p) {
  Section broker = root.section("broker");
  Section sink = root.section("sink");
  const std::string rule = ", want linger < patience < hedge_after < deadline";
  if (p.sink.patience_initial <= p.broker.linger) {
    sink.fail("patience_initial", "is not more than broker.linger" + rule);
  }
  if (p.sink.patience_min > p.sink.patience_initial) {
    sink.fail("patience_min", "is more than patience_initial, want min <= initial <= max");
  }
  if (p.sink.patience_min <= p.broker.linger) {
    sink.fail("patience_min", "is not more than broker.linger" + rule);
  }
  if (p.sink.patience_max < p.sink.patience_initial) {
    sink.fail("patience_max", "is less than patience_initial, want min <= initial <= max");
  }
  if (p.broker.hedge_after <= p.sink.patience_initial) {
    broker.fail("hedge_after", "is not more than sink.patience_initial" + rule);
  }
  if (p.broker.deadline <= p.broker.hedge_after) {
    broker.fail("deadline", "is not more than hedge_after" + rule);
  }
  if (p.broker.deadline <= p.sink.patience_max) {
    sink.fail("patience_max", "is not less than broker.deadline" + rule);
  }
}

void read_stages(Section root, Pipeline& p) {
  Section classifier = root.section("classifier");
  Section collage = root.section("collage");
  Section images = root.section("images");
  Pipeline::Stages& s = p.stages;
  s.classifier_capacity = static_cast<std::uint32_t>(classifier.integer("capacity", 1, 64, 1));
  s.batches_max = static_cast<std::uint32_t>(collage.integer("batches_max", 1, 64, 4));
  s.collage_capacity = static_cast<std::uint32_t>(collage.integer("capacity", 1, 64, 1));
  s.pixels_max = images.integer("pixels_max", 1, 1'000'000'000, 50'000'000);
  s.side_max = static_cast<int>(images.integer("side_max", 1, 65'535, 20'000));
}

// Room for `many` processes of a role, for their ports follow one another.
std::uint16_t first_port(Section& section, std::string_view key, int many, int fallback) {
  return static_cast<std::uint16_t>(section.integer(key, 1, 65'536 - many, fallback));
}

void read_http(Section root, Pipeline& p) {
  constexpr int kStagesMax = 100;
  Section s = root.section("http");
  p.http.address = s.text("address", "none");
  if (p.http.address == "none") p.http.address.clear();
  p.http.broker = first_port(s, "broker", 1, 9570);
  p.http.sink = first_port(s, "sink", 1, 9571);
  p.http.classifier = first_port(s, "classifier", kStagesMax, 9600);
  p.http.collage = first_port(s, "collage", kStagesMax, 9700);
  p.http.collage_cnn = first_port(s, "collage_cnn", kStagesMax, 9800);
}

void read_log(Section root, Pipeline& p) {
  Section s = root.section("log");
  using spdlog::level::level_enum;
  p.log_level = s.choice<level_enum>("level",
                                     {{"debug", level_enum::debug},
                                      {"info", level_enum::info},
                                      {"warning", level_enum::warn},
                                      {"error", level_enum::err}},
                                     level_enum::info);
  p.log_format = s.choice<LogFormat>(
      "format", {{"text", LogFormat::text}, {"json", LogFormat::json}}, LogFormat::text);
  p.log_requests = s.choice<bool>("requests", {{"true", true}, {"false", false}}, false);
}

void read_security(Section root, Pipeline& p) {
  if (!root.has("security")) return;
  Section s = root.section("security");
  const std::string name = s.text("keys");
  p.keys = p.file.parent_path() / name;
  std::error_code ignored;
  if (!std::filesystem::is_directory(*p.keys, ignored)) {
    s.fail("keys", "there is no folder " + in_quotes(name));
  }
}

std::string read_policy(Section& root) {
  std::string policy = root.text("policy", "collage-hedge");
  if (std::find(broker::kPolicyNames.begin(), broker::kPolicyNames.end(), policy) ==
      broker::kPolicyNames.end()) {
    std::string names;
    for (const std::string_view name : broker::kPolicyNames) {
      names += (names.empty() ? "" : ", ") + std::string(name);
    }
    root.fail("policy", "is " + in_quotes(policy) + ", want one of " + names);
  }
  return policy;
}

Pipeline read(Document document, const std::filesystem::path& file) {
  Pipeline p;
  p.file = file;
  Section root = document.root();
  p.grid = static_cast<int>(root.integer("grid", wire::kGridSideMin, wire::kGridSideMax, 3));
  p.policy = read_policy(root);
  p.top_k = static_cast<std::size_t>(root.integer("top_k", 1, 16, 3));
  read_models(root, p);
  read_endpoints(root, p);
  read_broker(root, p);
  read_sink(root, p);
  read_stages(root, p);
  read_http(root, p);
  read_log(root, p);
  read_security(root, p);
  check_order(root, p);
  if (root.has("emulation")) {
    Section s = root.section("emulation");
    Pipeline::Emulation& e = p.emulation.emplace();
    e.latency = read_latency(s, p.file.parent_path());
    e.seed = static_cast<std::uint64_t>(s.integer("seed", 0, INT64_MAX, 1));
    e.slow = s.texts("slow", std::vector<std::string>{});
    e.slow_factor = s.number("slow_factor", 0, 1000, 4.0);
    e.slow_after = s.duration("slow_after", {}, wire::kDurationMax, wire::Duration{});
    e.slow_for = s.duration("slow_for", {}, wire::kDurationMax, wire::kDurationMax);
  }
  document.finish();
  p.resolved = document.resolved();
  return p;
}

}  // namespace

Pipeline load_pipeline(const std::filesystem::path& file) {
  return read(Document::load(file), file);
}

Pipeline parse_pipeline(const std::string& text, const std::filesystem::path& file) {
  return read(Document::parse(text, file.string()), file);
}

}  // namespace runtime
