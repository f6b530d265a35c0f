#include "gateway/infer_response.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "gateway/routes.h"
#include "wire/check.h"

namespace gateway {
namespace {

using Json = nlohmann::ordered_json;

// Row by row; the type of the elements is that of the tensor.
struct Tensor {
  std::string_view datatype;
  std::vector<std::size_t> shape;
  std::variant<std::vector<std::int64_t>, std::vector<float>, std::vector<std::string>> data;
};

constexpr std::string_view datatype_of(std::string_view name) {
  if (name == "label" || name == "status") return "INT64";
  return name == "probability" ? "FP32" : "BYTES";
}

bool is_per_class(std::string_view name) {
  return name == "label" || name == "class" || name == "probability";
}

// The K of [N, K]: images that were not answered are filled up with label -1.
std::size_t classes_of(const std::vector<Outcome>& outcomes) {
  std::size_t classes = 1;
  for (const Outcome& outcome : outcomes) {
    classes = std::max(classes, outcome.delivered.result.predictions.size());
  }
  return classes;
}

template <class Read>
auto per_class(const std::vector<Outcome>& outcomes, Read read) {
  const std::size_t classes = classes_of(outcomes);
  const wire::NamedPrediction none{"", {{UINT64_MAX}, 0}};  // Label -1.
  std::vector<decltype(read(none))> data;
  for (const Outcome& outcome : outcomes) {
    const auto& predictions = outcome.delivered.result.predictions;
    for (std::size_t i = 0; i < classes; ++i) {
      data.push_back(read(i < predictions.size() ? predictions[i] : none));
    }
  }
  return data;
}

template <class Read>
auto per_image(const std::vector<Outcome>& outcomes, Read read) {
  std::vector<decltype(read(outcomes.front()))> data;
  for (const Outcome& outcome : outcomes) data.push_back(read(outcome));
  return data;
}

Tensor tensor_of(std::string_view name, const std::vector<Outcome>& outcomes) {
  using wire::NamedPrediction;
  Tensor tensor{datatype_of(name), {outcomes.size()}, {}};
  if (is_per_class(name)) tensor.shape.push_back(classes_of(outcomes));
  if (name == "label") {
    tensor.data = per_class(outcomes, [](const NamedPrediction& one) {
      return static_cast<std::int64_t>(one.prediction.label.value);
    });
  } else if (name == "class") {
    tensor.data = per_class(outcomes, [](const NamedPrediction& one) { return one.name; });
  } else if (name == "probability") {
    tensor.data =
        per_class(outcomes, [](const NamedPrediction& one) { return one.prediction.probability; });
  } else if (name == "source") {
    tensor.data = per_image(outcomes, [](const Outcome& one) {
      return std::string(to_string(one.delivered.result.source));
    });
  } else if (name == "model") {
    tensor.data =
        per_image(outcomes, [](const Outcome& one) { return one.delivered.result.version; });
  } else if (name == "status") {
    tensor.data =
        per_image(outcomes, [](const Outcome& one) -> std::int64_t { return status_of(one); });
  } else {
    tensor.data = per_image(outcomes, [](const Outcome& one) {
      return status_of(one) == 200 ? std::string() : problem_of(one).reason;
    });
  }
  return tensor;
}

void append(std::string& out, const void* data, std::size_t size) {
  out.append(static_cast<const char*>(data), size);
}

// As the binary extension has it, which is little-endian.
static_assert(std::endian::native == std::endian::little);
std::string binary_of(const Tensor& tensor) {
  std::string out;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&tensor.data)) {
    for (const std::string& text : *texts) {
      const auto size = static_cast<std::uint32_t>(text.size());
      append(out, &size, sizeof size);
      out += text;
    }
  } else if (const auto* reals = std::get_if<std::vector<float>>(&tensor.data)) {
    append(out, reals->data(), reals->size() * sizeof(float));
  } else {
    const auto& whole = std::get<std::vector<std::int64_t>>(tensor.data);
    append(out, whole.data(), whole.size() * sizeof(std::int64_t));
  }
  return out;
}

std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json metadata_of(std::string_view name) {
  const Json shape = is_per_class(name) ? Json::array({-1, -1}) : Json::array({-1});
  return {{"name", name}, {"datatype", datatype_of(name)}, {"shape", shape}};
}

Json header_of(const InferRequest& request) {
  Json header = {{"model_name", kModelName}, {"model_version", kModelVersion}};
  if (!request.id.empty()) header["id"] = request.id;
  return header;
}

}  // namespace

Response infer_response(const InferRequest& request, const std::vector<Outcome>& outcomes) {
  COLLAGE_CHECK(outcomes.size() == request.images.size() && !outcomes.empty());
  const bool any = std::ranges::any_of(
      outcomes, [](const Outcome& outcome) { return status_of(outcome) == 200; });
  if (!any) return infer_problem_response(problem_of(outcomes.front(), request.images.front()));
  Json body = header_of(request);
  body["outputs"] = Json::array();
  std::string binary;
  for (const RequestedOutput& output : request.outputs) {
    const Tensor tensor = tensor_of(output.name, outcomes);
    Json json = {{"name", output.name}, {"datatype", tensor.datatype}, {"shape", tensor.shape}};
    if (output.binary) {
      const std::string data = binary_of(tensor);
      json["parameters"] = {{"binary_data_size", data.size()}};
      binary += data;
    } else {
      std::visit([&](const auto& data) { json["data"] = data; }, tensor.data);
    }
    body["outputs"].push_back(std::move(json));
  }
  Response response;
  response.body = compact(body);
  const bool has_binary = std::ranges::any_of(request.outputs, &RequestedOutput::binary);
  if (has_binary) {
    response.type = "application/octet-stream";
    response.add("Inference-Header-Content-Length", std::to_string(response.body.size()));
    response.body += binary;
  }
  return response;
}

Response server_metadata(const std::string& version) {
  Response response;
  response.body =
      compact({{"name", "collage"}, {"version", version}, {"extensions", {"binary_tensor_data"}}});
  return response;
}

Response model_metadata() {
  Json outputs = Json::array();
  for (const std::string& name : output_names()) outputs.push_back(metadata_of(name));
  Response response;
  response.body = compact({{"name", kModelName},
                           {"versions", {kModelVersion}},
                           {"platform", "collage"},
                           {"inputs", Json::array({metadata_of("image")})},
                           {"outputs", outputs}});
  return response;
}

Response health_response(const std::string& name, bool good) {
  Response response;
  response.status = good ? 200 : 503;
  response.body = compact({{name, good}});
  return response;
}

}  // namespace gateway
