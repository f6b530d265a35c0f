// What benchmarks there are: each name once with /ours and, where there is something to compare it
// with, once with /reference.
#pragma once

namespace bench {

void add_broker();
void add_classifier();
void add_collage();
void add_decoders();
void add_joiner();
void add_networks();
void add_simulator();

}  // namespace bench
