// The values of collage/client.h made of those of the wire.
#pragma once

#include <collage/client.h>

#include "producer/delivered.h"

namespace collage {

Result value_of(const producer::Delivered& delivered);
wire::Priority value_of(Priority priority);
Correction value_of(const producer::Correction& correction);

}  // namespace collage
