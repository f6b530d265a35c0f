// Precompiled: LibTorch's headers take longer than all of our code.
#pragma once

#include <torch/script.h>
#include <torch/torch.h>
