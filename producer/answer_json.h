// An answer as JSON, in the words of collage-push and of the gateway alike.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "wire/message.h"

namespace producer {

// Adds class, label and probability of the best prediction (none if there is no prediction), top,
// source, broker_latency_s, model, and brownout if it is true.
void add_answer(nlohmann::ordered_json& json, const wire::Result& result);

// Returns a probability with six significant digits: 0.9f is 0.9 and not 0.8999999761581421.
double rounded_probability(float probability);

// Returns seconds, rounded to microseconds.
double rounded_seconds(wire::Duration d);

}  // namespace producer
