#include "runtime/pipeline/pipeline.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/policy_names.h"
#include "broker/policy_reader.h"
#include "broker/worker_book.h"
#include "gateway/policy_reader.h"
#include "runtime/loop/endpoint.h"
#include "stages/policy_reader.h"
#include "stages/sink/policy_reader.h"
#include "wire/check.h"

namespace runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::filesystem::path model_file(Section& section, std::string_view key, const Pipeline& pipeline) {
  const std::string name = section.text(key);
  const std::filesystem::path path =
      pipeline.service.file.parent_path() / name;  // An absolute path replaces the folder.
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    section.fail(key, "there is no file " + in_quotes(name));
  }
  return path;
}

// Checked here, because an error of bind or connect could not name the key.  Names are looked up
// only by --check and when a process begins: they may belong to other hosts.
void check_endpoint(const Section& section, std::string_view key, const std::string& text,
                    bool inproc_allowed) {
  const auto parts = parse_endpoint(text);
  if (!parts) section.fail(key, parts.error() + (inproc_allowed ? ", or inproc://NAME" : ""));
  const bool inproc = parts->transport == Endpoint::Transport::inproc;
  if (inproc && inproc_allowed) return;
  if (inproc)
    section.fail(key, "is " + in_quotes(text) + ", which reaches no other process; " +
                          "expected tcp://HOST:PORT or ipc://PATH");
  if (parts->transport == Endpoint::Transport::tcp && parts->port == 0) {
    section.fail(key, "is " + in_quotes(text) + ", expected a port from 1 to 65535");
  }
}

// The endpoint of a link whose clients may read it in this file, too.  An address that stands for
// every address is refused where a process connects (Startup), for each may have a file of its own.
void check_endpoint_to_connect(const Section& section, std::string_view key,
                               const std::string& text, bool inproc_allowed) {
  check_endpoint(section, key, text, inproc_allowed);
  const Endpoint parts = *parse_endpoint(text);
  if (is_wildcard(parts) && parts.host == "*") {
    section.fail(key, "is " + in_quotes(text) +
                          ", to which the other processes cannot connect; expected the name or "
                          "address of the host that listens, such as tcp://127.0.0.1:" +
                          std::to_string(parts.port));
  }
}

std::string endpoint_to_connect(Section& section, std::string_view key, bool inproc_allowed) {
  std::string text = section.text(key);
  check_endpoint_to_connect(section, key, text, inproc_allowed);
  return text;
}

// One endpoint, or a list of them: one for each sink.
std::vector<std::string> answer_endpoints(Section& section) {
  constexpr std::string_view kKey = "answers";
  if (!section.is_list(kKey)) return {endpoint_to_connect(section, kKey, false)};
  std::vector<std::string> all = section.texts(kKey);
  if (all.empty() || all.size() > wire::kSinksMax) {
    section.fail(kKey, "has " + std::to_string(all.size()) +
                           " endpoints, expected one for each sink, from 1 to " +
                           std::to_string(wire::kSinksMax));
  }
  for (const std::string& text : all) check_endpoint_to_connect(section, kKey, text, false);
  return all;
}

// Returns true if one host could not listen at both.
bool clash(const std::string& one, const std::string& other) {
  if (one == other) return true;
  const Endpoint a = *parse_endpoint(one);
  const Endpoint b = *parse_endpoint(other);
  const auto host = [](const Endpoint& e) {
    return e.host == "localhost" ? std::string("127.0.0.1") : e.host;
  };
  return a.transport == b.transport && a.port == b.port && host(a) == host(b);
}

void read_models(Section root, Pipeline& p) {
  Section models = root.section("models");
  p.models.single = model_file(models, "single", p);
  const auto redundancy = broker::named_redundancy(p.policy);
  const bool makes_collages = !redundancy || redundancy->collages_per_batch > 0;
  const bool needs_collage = makes_collages || models.has("collage");
  if (needs_collage) p.models.collage = model_file(models, "collage", p);
  p.models.precision = models.choice<std::string>(
      "precision", {{"auto", "auto"}, {"float", "float"}, {"bfloat16", "bfloat16"}},
      p.models.precision);
}

void read_endpoints(Section root, Pipeline& p) {
  Section section = root.section("endpoints");
  p.endpoints.producers = section.text("producers");
  check_endpoint(section, "producers", p.endpoints.producers, false);
  p.endpoints.workers = endpoint_to_connect(section, "workers", false);
  p.endpoints.answers = answer_endpoints(section);
  p.endpoints.collage = endpoint_to_connect(section, "collage", true);
  std::vector<std::pair<std::string_view, std::string>> all = {{"producers", p.endpoints.producers},
                                                               {"workers", p.endpoints.workers}};
  for (const std::string& answers : p.endpoints.answers) all.emplace_back("answers", answers);
  all.emplace_back("collage", p.endpoints.collage);
  // Two links at one endpoint: the second bind would fail, without naming the key.
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (clash(all[i].second, all[j].second)) {
        section.fail(all[i].first, "is the same as " + std::string(all[j].first) +
                                       ", expected an endpoint of its own");
      }
    }
  }
  // The broker listens at both.
  const Endpoint producers = *parse_endpoint(p.endpoints.producers);
  const Endpoint workers = *parse_endpoint(p.endpoints.workers);
  if (is_wildcard(producers) && workers.transport == Endpoint::Transport::tcp &&
      producers.port == workers.port) {
    section.fail("workers",
                 "has the port of producers, which listens at every address; expected "
                 "another port");
  }
}

// Checks linger < patience < hedge_after < deadline and fails at the key that breaks the rule.
// Another order would never use the collage, or hedge before the collage may answer.
void check_order(Section root, const Pipeline& p) {
  Section broker = root.section("broker");
  Section sink = root.section("sink");
  const std::string rule = ", expected linger < patience < hedge_after < deadline";
  if (p.sink.patience.initial <= p.broker.linger) {
    sink.fail("patience_initial", "is not more than broker.linger" + rule);
  }
  if (p.sink.patience.min > p.sink.patience.initial) {
    sink.fail("patience_min", "is more than patience_initial, expected min <= initial <= max");
  }
  if (p.sink.patience.min <= p.broker.linger) {
    sink.fail("patience_min", "is not more than broker.linger" + rule);
  }
  if (p.sink.patience.max < p.sink.patience.initial) {
    sink.fail("patience_max", "is less than patience_initial, expected min <= initial <= max");
  }
  if (p.broker.hedge_after <= p.sink.patience.initial) {
    broker.fail("hedge_after", "is not more than sink.patience_initial" + rule);
  }
  if (p.broker.deadline <= p.broker.hedge_after) {
    broker.fail("deadline", "is not more than hedge_after" + rule);
  }
  if (p.broker.deadline <= p.sink.patience.max) {
    sink.fail("patience_max", "is not less than broker.deadline" + rule);
  }
}

// Reads the port of a role's first process; `many` processes have consecutive ports, and the last
// one must not be above 65535.
std::uint16_t first_port(Section& section, std::string_view key, int many, int fallback) {
  return static_cast<std::uint16_t>(section.integer(key, 1, 65'536 - many, fallback));
}

// HTTP servers know neither ZeroMQ's word for every address nor the brackets of an endpoint.
void refuse_endpoint_syntax(const Section& s, const std::string& address,
                            const std::string& others) {
  if (address != "*" && !address.starts_with('[')) return;
  s.fail("address", "is " + in_quotes(address) +
                        ", expected a name or an address such as 127.0.0.1, ::1, 0.0.0.0 (every "
                        "address)" +
                        others);
}

// The brokers of a gateway, each with a pipeline of its own.
void check_brokers(const Section& section, const std::vector<std::string>& brokers) {
  constexpr std::string_view kKey = "brokers";
  constexpr std::size_t kBrokersMax = 16;
  if (brokers.size() > kBrokersMax) {
    section.fail(kKey, "has " + std::to_string(brokers.size()) + " endpoints, expected at most " +
                           std::to_string(kBrokersMax));
  }
  for (std::size_t i = 0; i < brokers.size(); ++i) {
    check_endpoint_to_connect(section, kKey, brokers[i], false);
    if (is_wildcard(*parse_endpoint(brokers[i]))) {
      section.fail(kKey, "has " + in_quotes(brokers[i]) +
                             ", which stands for every address; expected a broker's host");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (clash(brokers[i], brokers[j])) {
        section.fail(kKey, "has " + in_quotes(brokers[i]) + " twice, expected different brokers");
      }
    }
  }
}

void read_gateway(Section root, Pipeline& p) {
  const Section s = root.section("gateway");
  p.gateway = gateway::read_policy(s);
  refuse_endpoint_syntax(s, p.gateway.address, "");
  check_brokers(s, p.gateway.brokers);
  if (p.gateway.brokers.empty()) p.gateway.brokers = {p.endpoints.producers};
}

void read_http(Section root, Pipeline& p) {
  constexpr int kStagesMax = 100;  // The default ports of the roles of stages are 100 apart.
  Section s = root.section("http");
  std::string& address = p.service.http_address;
  address = s.text("address", "none");  // A text cannot be empty, so "none" stands for no HTTP.
  if (address == "none") address.clear();
  refuse_endpoint_syntax(s, address, ", or none");
  p.http.broker = first_port(s, "broker", 1, p.http.broker);
  p.http.sink =
      first_port(s, "sink", 10 * static_cast<int>(p.endpoints.answers.size() - 1) + 1, p.http.sink);
  p.http.gateway = first_port(s, "gateway", 1, p.http.gateway);
  p.http.classifier = first_port(s, "classifier", kStagesMax, p.http.classifier);
  p.http.collage = first_port(s, "collage", kStagesMax, p.http.collage);
  p.http.collage_cnn = first_port(s, "collage_cnn", kStagesMax, p.http.collage_cnn);
}

void read_log(Section root, Pipeline& p) {
  Section s = root.section("log");
  using spdlog::level::level_enum;
  p.service.log_level = s.choice<level_enum>("level",
                                             {{"debug", level_enum::debug},
                                              {"info", level_enum::info},
                                              {"warning", level_enum::warn},
                                              {"error", level_enum::err}},
                                             p.service.log_level);
  p.service.log_format = s.choice<LogFormat>(
      "format", {{"text", LogFormat::text}, {"json", LogFormat::json}}, p.service.log_format);
  p.service.log_requests = s.flag("requests", p.service.log_requests);
}

void read_security(Section root, Pipeline& p) {
  if (!root.has("security")) return;
  Section s = root.section("security");
  const std::string name = s.text("keys");
  // Only the folder is checked here: which keys must be in it depends on the process (open_keys).
  p.service.keys = p.service.file.parent_path() / name;
  std::error_code ignored;
  if (!std::filesystem::is_directory(*p.service.keys, ignored)) {
    s.fail("keys", "there is no folder " + in_quotes(name));
  }
}

void read_emulation(Section root, Pipeline& p) {
  if (!root.has("emulation")) return;
  Section s = root.section("emulation");
  Pipeline::Emulation e;
  e.latency = read_latency(s, p.service.file.parent_path());
  e.seed = static_cast<std::uint64_t>(s.integer("seed", 0, INT64_MAX, 1));
  e.slow = s.texts("slow", std::vector<std::string>{});
  e.slow_factor = s.number("slow_factor", 0, 1000, e.slow_factor);
  e.slow_after = s.duration("slow_after", {}, wire::kDurationMax, e.slow_after);
  e.slow_for = s.duration("slow_for", {}, wire::kDurationMax, e.slow_for);
  p.emulation = std::move(e);
}

std::string read_policy(Section& root, const std::string& fallback) {
  std::string policy = root.text("policy", fallback);
  if (std::find(broker::kPolicyNames.begin(), broker::kPolicyNames.end(), policy) ==
      broker::kPolicyNames.end()) {
    std::string names;
    for (const std::string_view name : broker::kPolicyNames) {
      names += (names.empty() ? "" : ", ") + std::string(name);
    }
    root.fail("policy", "is " + in_quotes(policy) + ", expected one of " + names);
  }
  return policy;
}

// Sets the values of policies that follow from several sections or from the top of the file.
void derive(Pipeline& p) {
  const auto redundancy = broker::named_redundancy(p.policy);
  COLLAGE_CHECK(redundancy.has_value());
  p.broker.grid = p.grid;
  p.broker.redundancy = *redundancy;
  p.broker.sink_max = p.endpoints.answers.size();
  p.stages.membership = {.backoff_min = milliseconds(50),
                         .backoff_max = std::max<wire::Duration>(seconds(2), p.broker.heartbeat)};
  p.sink.membership = p.stages.membership;
  p.sink.collage_first = p.policy == broker::kCollageFirst;
  p.sink.patience.worker_max = p.broker.worker_max;
  p.sink.worker_max = 2 * p.broker.worker_max + broker::WorkerBook::Policy{}.lost_max;
  // Hedges of this share of the images cost as much as the collages: one inference per grid.
  p.sink.patience.budget_share = 1.0 / (p.grid * p.grid);
}

Pipeline read(Document document, const std::filesystem::path& file) {
  Pipeline p;
  p.service.file = file;
  Section root = document.root();
  p.grid = static_cast<int>(root.integer("grid", wire::kGridSideMin, wire::kGridSideMax, p.grid));
  p.policy = read_policy(root, p.policy);
  p.top_k =
      static_cast<std::size_t>(root.integer("top_k", 1, 16, static_cast<std::int64_t>(p.top_k)));
  read_models(root, p);
  read_endpoints(root, p);
  p.broker = broker::read_policy(root.section("broker"));
  p.sink = stages::sink::read_policy(root.section("sink"));
  p.stages = stages::read_policy(root);
  read_gateway(root, p);
  read_http(root, p);
  read_log(root, p);
  read_security(root, p);
  check_order(root, p);
  read_emulation(root, p);
  // Last, when every section has asked for its keys; then only unknown keys are left.
  document.finish();
  derive(p);
  p.service.resolved = document.resolved();
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
