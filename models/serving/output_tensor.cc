#include "models/serving/output_tensor.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "models/serving/probe_answers.h"

namespace models {
namespace {

std::string description_of_all(const char* word, at::ArrayRef<c10::IValue> values) {
  std::string out = std::string(word) + " of " + std::to_string(values.size());
  const char* before = ": ";
  constexpr std::size_t kNamedMax = 3;
  for (const c10::IValue& one : values.slice(0, std::min(values.size(), kNamedMax))) {
    out += before + description(one);
    before = ", ";
  }
  return values.size() > kNamedMax ? out + ", .." : out;
}

std::string keys_of(const c10::IValue& dict) {
  std::string out;
  for (const auto& entry : dict.toGenericDict()) {
    if (!out.empty()) out += ", ";
    out += entry.key().isString() ? entry.key().toStringRef() : "(no text)";
  }
  return out;
}

// None if there is no such value.
c10::IValue chosen(const c10::IValue& returned, const std::string& key) {
  if (returned.isGenericDict() && !key.empty()) {
    const auto dict = returned.toGenericDict();
    return dict.contains(key) ? dict.at(key) : c10::IValue();
  }
  if (!key.empty()) return {};
  if (returned.isTuple() && !returned.toTupleRef().elements().empty()) {
    return returned.toTupleRef().elements()[0];
  }
  if (returned.isList() && !returned.toListRef().empty()) return returned.toListRef()[0];
  return returned;
}

}  // namespace

std::string description(const c10::IValue& value) {
  if (value.isTensor()) {
    std::ostringstream out;
    out << c10::toString(value.toTensor().scalar_type()) << " " << value.toTensor().sizes();
    return out.str();
  }
  if (value.isTuple()) return description_of_all("a tuple", value.toTupleRef().elements());
  if (value.isList()) return description_of_all("a list", value.toListRef());
  if (value.isGenericDict()) return "a dict with " + keys_of(value);
  return "a value of type " + value.tagKind();
}

torch::Tensor scores_of(const c10::IValue& returned, const OutputForm& form) {
  const c10::IValue one = chosen(returned, form.key);
  if (!one.isTensor()) {
    const bool dict = returned.isGenericDict();
    throw std::runtime_error("returns " + description(returned) +
                             (!form.key.empty() ? ", but its manifest has output.key " + form.key
                              : dict
                                  ? "; output.key in its manifest must name the one of the logits"
                                  : ", expected a tensor of logits"));
  }
  return one.toTensor().to(torch::kFloat);
}

torch::Tensor logits_of(const c10::IValue& returned, const OutputForm& form) {
  const torch::Tensor scores = scores_of(returned, form);
  // What is no number stays none.
  return form.scores == Scores::logits ? scores : scores.clamp_min(kProbabilityMin).log();
}

}  // namespace models
