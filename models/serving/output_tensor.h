// From the value that a TorchScript module returns to a tensor of logits.
#pragma once

#include <torch/script.h>

#include <string>

#include "models/serving/output_form.h"

namespace models {

// The scores in what a network returned: a tensor, the first of a tuple or list of tensors, or the
// tensor of a dict under form.key.  Float, as many dimensions as they have.  Throws
// std::runtime_error that says what was returned if there is no such tensor.
torch::Tensor scores_of(const c10::IValue& returned, const OutputForm& form);

// The same as logits: the logarithm of probabilities, of which none is taken for less than 1e-12.
torch::Tensor logits_of(const c10::IValue& returned, const OutputForm& form);

// "Float [1, 10]", "a tuple of 4: Float [1, 10], None, None, ..", "a dict of out, aux": for errors.
std::string description(const c10::IValue& value);

}  // namespace models
