#include "replay/report/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace replay::report {
namespace {

// A class name may hold what ends a field.
std::string field(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == ',' || c == '\n' || c == '"'; }, ' ');
  return text;
}

}  // namespace

std::string_view outcome_of(const wire::Result& result) {
  return result.status == wire::ResultStatus::answered ? to_string(result.source)
                                                       : to_string(result.status);
}

EventFile::EventFile(const std::filesystem::path& file)
    : file_(file), part_(file.string() + ".part") {
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  out_ = gzopen(part_.c_str(), "wb1");
  if (!out_) throw std::runtime_error(part_.string() + ": cannot be written");
  failed_ = gzputs(out_, (std::string(kEventHeader) + "\n").c_str()) < 0;
}

EventFile::~EventFile() {
  if (!out_) return;
  gzclose(out_);
  std::error_code ignored;
  std::filesystem::remove(part_, ignored);
}

void EventFile::line(double at_s, const std::string& rest) {
  const std::string text = fmt::format("{:.6f},{},{}\n", at_s, policy_, rest);
  failed_ = failed_ || gzwrite(out_, text.data(), static_cast<unsigned>(text.size())) <= 0;
}

void EventFile::policy(const std::string& name) {
  policy_ = name;
  line(0, "policy");
}

void EventFile::answer(const load::Answer& answer, const std::string& truth) {
  const wire::Result& result = answer.result;
  std::string rest = fmt::format("answer,{},{:.6f},{},", answer.image,
                                 wire::to_seconds(answer.latency), outcome_of(result));
  if (!result.predictions.empty()) {
    const wire::NamedPrediction& best = result.predictions.front();
    rest += fmt::format("{},{:.3f}", field(best.name), best.prediction.probability);
  } else {
    rest += ",";
  }
  rest += "," + field(truth);
  line(wire::to_seconds(answer.at - begun_), rest);
}

void EventFile::batch(std::size_t batch, wire::Instant at, wire::Duration latency) {
  line(wire::to_seconds(at - begun_),
       fmt::format("batch,{},{:.6f}", batch, wire::to_seconds(latency)));
}

void EventFile::health(const HealthSample& s) {
  line(s.at_s,
       fmt::format("health,{},{},{},{}", s.classifiers, s.assemblers, s.suspect, s.on_probation));
}

void EventFile::fault(wire::Instant at, const std::string& what) {
  line(wire::to_seconds(at - begun_), "fault," + field(what));
}

void EventFile::finish() {
  const int closed = gzclose(out_);
  out_ = nullptr;
  if (failed_ || closed != Z_OK) {
    throw std::runtime_error(part_.string() + ": could not be written whole");
  }
  std::filesystem::rename(part_, file_);
}

}  // namespace replay::report
