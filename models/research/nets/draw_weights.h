// First weights of a network, drawn by the project's own generator, so that they do not depend on
// torch's.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace models {

// Draws every convolution and linear layer of `net`, in the order of its named parameters, from a
// normal distribution of variance 2 / fan-in for convolutions (He et al. 2015) and 1 / fan-in for
// linear layers.  Biases become 0; scales of batch normalisation stay as they are.
void draw_weights(torch::nn::Module& net, std::uint64_t seed);

}  // namespace models
