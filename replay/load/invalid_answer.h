// What a stage that has gone wrong answers: a class that no model has.
#pragma once

#include <cstdint>

#include "wire/message.h"

namespace replay::load {

// A confident prediction of a class beyond every model's; sink and broker must reject it.
inline wire::Predictions invalid_answer() { return {{{~std::uint64_t{0} >> 1}, 0.9f}}; }

}  // namespace replay::load
