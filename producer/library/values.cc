#include "producer/library/values.h"

#include <utility>

#include "wire/message.h"
#include "wire/reason.h"

namespace collage {
namespace {

// The numbers are the wire's in today's release, but not by promise: the wire may change while
// the library's binary interface stays.
Status value_of(wire::ResultStatus status) {
  switch (status) {
    case wire::ResultStatus::answered:
      return Status::answered;
    case wire::ResultStatus::missing:
      return Status::missing;
    case wire::ResultStatus::rejected:
      return Status::rejected;
    case wire::ResultStatus::refused:
      return Status::refused;
    case wire::ResultStatus::cancelled:
      return Status::cancelled;
    case wire::ResultStatus::superseded:
      return Status::superseded;
  }
  return Status::missing;
}

Source value_of(wire::Source source) {
  switch (source) {
    case wire::Source::none:
      return Source::none;
    case wire::Source::single:
      return Source::single;
    case wire::Source::collage:
      return Source::collage;
    case wire::Source::hedge:
      return Source::hedge;
  }
  return Source::none;
}

std::string value_of(wire::Reason reason) {
  return reason == wire::Reason::none ? std::string() : std::string(to_string(reason));
}

std::vector<Prediction> value_of(const std::vector<wire::NamedPrediction>& predictions) {
  std::vector<Prediction> values;
  values.reserve(predictions.size());
  for (const wire::NamedPrediction& one : predictions) {
    values.push_back({.name = one.name,
                      .label = one.prediction.label.value,
                      .probability = one.prediction.probability});
  }
  return values;
}

}  // namespace

Result value_of(const producer::Delivered& delivered) {
  const wire::Result& result = delivered.result;
  return {.request = result.request.value,
          .status = value_of(result.status),
          .source = value_of(result.source),
          .reason = value_of(result.reason),
          .predictions = value_of(result.predictions),
          .model = result.version,
          .latency = delivered.latency,
          .broker_latency = result.latency,
          .local = delivered.local,
          .brownout = result.brownout};
}

wire::Priority value_of(Priority priority) {
  switch (priority) {
    case Priority::low:
      return wire::Priority::low;
    case Priority::normal:
      return wire::Priority::normal;
    case Priority::high:
      return wire::Priority::high;
  }
  return wire::Priority::normal;
}

Correction value_of(const producer::Correction& correction) {
  const wire::Correction& from = correction.correction;
  return {.request = from.request.value,
          .source = value_of(from.source),
          .predictions = value_of(from.predictions),
          .model = from.version,
          .latency = correction.latency,
          .broker_latency = from.latency};
}

std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::answered:
      return "answered";
    case Status::missing:
      return "missing";
    case Status::rejected:
      return "rejected";
    case Status::refused:
      return "refused";
    case Status::cancelled:
      return "cancelled";
    case Status::superseded:
      return "superseded";
  }
  return "unknown";
}

std::string_view to_string(Source source) noexcept {
  switch (source) {
    case Source::none:
      return "none";
    case Source::single:
      return "single";
    case Source::collage:
      return "collage";
    case Source::hedge:
      return "hedge";
  }
  return "unknown";
}

// Here, not in the header, so that one copy of the class's type information serves every program
// that catches it.
Error::Error(Code code, const std::string& what) : std::runtime_error(what), code_(code) {}
Error::~Error() = default;

}  // namespace collage
