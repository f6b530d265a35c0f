#include "replay/report/load_json.h"

namespace replay::report {
namespace {

using Json = nlohmann::ordered_json;

Json json(const LoadPoint& p) {
  Json out = {{"policy", p.policy},
              {"collages", p.collages},
              {"per_second", p.per_second},
              {"offered", p.offered},
              {"answered", p.answered},
              {"refused", p.refused},
              {"missing", p.missing},
              {"mean_s", p.mean_s},
              {"p50_s", p.p50_s},
              {"p99_s", p.p99_s},
              {"collage_share", p.collage_share},
              {"wasted_s", p.wasted_s},
              {"violations", p.violations}};
  if (p.accuracy) out["accuracy"] = *p.accuracy;
  return out;
}

void read(const Json& in, LoadPoint& p) {
  p.policy = in.at("policy");
  p.collages = in.at("collages");
  p.per_second = in.at("per_second");
  p.offered = in.at("offered");
  p.answered = in.at("answered");
  p.refused = in.at("refused");
  p.missing = in.at("missing");
  p.mean_s = in.at("mean_s");
  p.p50_s = in.at("p50_s");
  p.p99_s = in.at("p99_s");
  p.collage_share = in.at("collage_share");
  p.wasted_s = in.at("wasted_s");
  p.violations = in.at("violations");
  if (in.contains("accuracy")) p.accuracy = in.at("accuracy").get<double>();
}

Json json(const SecondFigures& s) {
  return {{"policy", s.policy},   {"at_s", s.at_s},         {"per_second", s.per_second},
          {"offered", s.offered}, {"answered", s.answered}, {"refused", s.refused},
          {"missing", s.missing}, {"p99_s", s.p99_s}};
}

void read(const Json& in, SecondFigures& s) {
  s.policy = in.at("policy");
  s.at_s = in.at("at_s");
  s.per_second = in.at("per_second");
  s.offered = in.at("offered");
  s.answered = in.at("answered");
  s.refused = in.at("refused");
  s.missing = in.at("missing");
  s.p99_s = in.at("p99_s");
}

Json json(const ProducerFigures& p) {
  return {{"policy", p.policy},   {"alone", p.alone},       {"collages", p.collages},
          {"load", p.load},       {"producer", p.producer}, {"priority", p.priority},
          {"offered", p.offered}, {"answered", p.answered}, {"refused", p.refused},
          {"missing", p.missing}, {"p50_s", p.p50_s},       {"p99_s", p.p99_s}};
}

void read(const Json& in, ProducerFigures& p) {
  p.policy = in.at("policy");
  p.alone = in.at("alone");
  p.collages = in.at("collages");
  p.load = in.at("load");
  p.producer = in.at("producer");
  p.priority = in.at("priority");
  p.offered = in.at("offered");
  p.answered = in.at("answered");
  p.refused = in.at("refused");
  p.missing = in.at("missing");
  p.p50_s = in.at("p50_s");
  p.p99_s = in.at("p99_s");
}

template <class Row>
void add(Json& out, const char* name, const std::vector<Row>& rows) {
  for (const Row& row : rows) out[name].push_back(json(row));
}

template <class Row>
void read(const Json& in, const char* name, std::vector<Row>& rows) {
  if (!in.contains(name)) return;
  for (const Json& row : in.at(name)) read(row, rows.emplace_back());
}

}  // namespace

void add_load(Json& out, const Summary& summary) {
  add(out, "load", summary.load);
  add(out, "seconds", summary.seconds);
  add(out, "producers", summary.producers);
  add(out, "groups", summary.groups);
}

void read_load(const Json& in, Summary& summary) {
  read(in, "load", summary.load);
  read(in, "seconds", summary.seconds);
  read(in, "producers", summary.producers);
  read(in, "groups", summary.groups);
}

}  // namespace replay::report
