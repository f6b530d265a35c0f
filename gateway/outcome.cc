#include "gateway/outcome.h"

#include <chrono>
#include <string>

#include "imaging/format.h"
#include "wire/check.h"

namespace gateway {

using wire::Reason;
using wire::ResultStatus;

namespace {

constexpr wire::Duration kRetryAfter = std::chrono::seconds(1);  // Where the broker gave no hint.

int status_of(Reason reason) {
  switch (reason) {
    case Reason::empty_image:
    case Reason::bad_message:
      return 400;
    case Reason::too_many_pixels:
    case Reason::image_too_large:
      return 413;
    case Reason::not_an_image:
    case Reason::unsupported_image:
      return 415;
    case Reason::truncated_image:
    case Reason::bad_scores:
      return 422;
    case Reason::full:
    case Reason::no_credit:
    case Reason::overloaded:
    case Reason::too_many_peers:
      return 429;
    case Reason::draining:
    case Reason::unknown_producer:
    case Reason::wrong_protocol:
    case Reason::no_broker:
      return 503;
    default:  // A reason that no image can end with, so a mistake of the pipeline.
      return 500;
  }
}

std::string detail_of(Reason reason) {
  switch (reason) {
    case Reason::empty_image:
      return "the image has no bytes";
    case Reason::not_an_image:
      return "the bytes are not an image";
    case Reason::truncated_image:
      return "the image is damaged or cut off";
    case Reason::too_many_pixels:
      return "the image has more pixels than the pipeline decodes";
    case Reason::unsupported_image:
      return "the image has a format that the pipeline does not decode";
    case Reason::bad_scores:
      return "the model has no valid scores for the image";
    case Reason::image_too_large:
      return "the image has more bytes than the broker accepts";
    case Reason::draining:
      return "the broker is stopping";
    case Reason::no_broker:
      return "no broker answers";
    case Reason::full:
    case Reason::no_credit:
    case Reason::overloaded:
      return "the pipeline has too much work; send the image again later";
    default:
      return "the pipeline did not accept the image";
  }
}

// The problem of an image that was not accepted.
Problem problem_of_reason(const wire::Result& result) {
  Problem problem{status_of(result.reason), std::string(to_string(result.reason)),
                  detail_of(result.reason)};
  if (problem.status == 429 || problem.status == 503) {
    const bool hint = result.retry_after > wire::Duration{};
    problem.retry_after = hint ? result.retry_after : kRetryAfter;
  }
  return problem;
}

std::string why_missing(Reason reason) {
  switch (reason) {
    case Reason::no_sink:
      return ": the pipeline has no sink";
    case Reason::no_stage:
      return ": no stage is connected";
    case Reason::overloaded:
      return ": the pipeline has too much work, and no stage got the image";
    case Reason::no_credit:
      return ": the broker took no more images";
    case Reason::no_answer:
      return ": the stages that got the image did not answer";
    default:
      return "";
  }
}

// Without a broker, or with one that is stopping, the pipeline is away and not too slow.
Problem problem_of_missing(const wire::Result& result) {
  if (result.reason == Reason::no_broker || result.reason == Reason::draining) {
    return problem_of_reason(result);
  }
  return {504, "missing", "no answer came by the deadline" + why_missing(result.reason)};
}

Problem problem_of(const wire::Result& result) {
  switch (result.status) {
    case ResultStatus::rejected:
    case ResultStatus::refused:
      return problem_of_reason(result);
    case ResultStatus::superseded:
      return {409, "superseded", "a newer image of the same X-Collage-Latest stream came"};
    case ResultStatus::cancelled:
      return {499, "cancelled", "the client has gone"};
    case ResultStatus::answered:
    case ResultStatus::missing:
      break;
  }
  return problem_of_missing(result);
}

}  // namespace

int status_of(const Outcome& outcome) {
  const bool answered = outcome.kind == Outcome::Kind::delivered &&
                        outcome.delivered.result.status == ResultStatus::answered;
  return answered ? 200 : problem_of(outcome).status;
}

Problem problem_of(const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::no_broker:
      return {503, "no_broker", "no broker answers", kRetryAfter};
    case Outcome::Kind::no_room:
      return {429, "full", "as many images are open as the gateway holds", kRetryAfter};
    case Outcome::Kind::draining:
      return {503, "draining", "the gateway is stopping", kRetryAfter};
    case Outcome::Kind::delivered:
      break;
  }
  COLLAGE_CHECK(outcome.delivered.result.status != ResultStatus::answered);
  return problem_of(outcome.delivered.result);
}

Problem problem_of(const Outcome& outcome, const Image& image) {
  Problem problem = problem_of(outcome);
  if (problem.reason == to_string(Reason::unsupported_image)) {
    problem.detail += ": " + std::string(name_of(imaging::format_of(image.bytes.bytes())));
  }
  return problem;
}

}  // namespace gateway
