#include "gateway/infer_request.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "gateway/base64.h"
#include "gateway/json_text.h"

namespace gateway {
namespace {

using Document = nlohmann::json;

tl::unexpected<Problem> wrong(std::string detail) {
  return tl::unexpected(Problem{400, "bad_request", std::move(detail)});
}

// A member of an object; null if the object has none of that name, or is none.
const Document& member(const Document& object, const char* name) {
  static const Document kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

// The JSON in front, and the binary data of all inputs behind it.
struct Split {
  std::string_view json, binary;
};

OrProblem<Split> split(const RequestHead& head, std::string_view body) {
  const std::string_view text = head.header("Inference-Header-Content-Length");
  if (text.empty()) return Split{body, {}};
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size() || length > body.size()) {
    return wrong("Inference-Header-Content-Length: expected the length of the JSON in the body");
  }
  return Split{body.substr(0, length), body.substr(length)};
}

// The number of elements of the shape [N] or [N, 1].
OrProblem<std::size_t> element_count(const Document& shape, const Policy& policy) {
  const bool well_formed =
      shape.is_array() && (shape.size() == 1 || shape.size() == 2) &&
      std::ranges::all_of(shape, [](const Document& side) { return side.is_number_unsigned(); });
  if (!well_formed || (shape.size() == 2 && shape[1].get<std::uint64_t>() != 1) ||
      shape[0].get<std::uint64_t>() == 0) {
    return wrong("inputs[0].shape: expected [N] or [N, 1] with N of at least 1");
  }
  const auto count = shape[0].get<std::uint64_t>();
  if (count > policy.images_max) {
    return tl::unexpected(
        Problem{413, "too_many_images",
                "expected at most " + std::to_string(policy.images_max) + " images a request"});
  }
  return static_cast<std::size_t>(count);
}

OrProblem<std::vector<Image>> read_binary(const Body& body, std::string_view data,
                                          std::size_t count) {
  constexpr std::size_t kLengthBytes = 4;
  std::vector<Image> images;
  while (!data.empty()) {
    if (data.size() < kLengthBytes || images.size() == count) break;
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      length |= std::size_t{static_cast<unsigned char>(data[i])} << (8 * i);
    }
    data.remove_prefix(kLengthBytes);
    if (length > data.size()) return wrong("inputs[0]: an element is longer than the binary data");
    images.push_back({"", share(body, data.substr(0, length))});
    data.remove_prefix(length);
  }
  if (!data.empty() || images.size() != count) {
    return wrong("inputs[0]: the binary data have another number of elements than the shape");
  }
  return images;
}

// The texts of `data`, row by row; it may be flat or nested as the shape is.
bool add_images(const Document& data, std::vector<Image>& images, std::size_t count) {
  if (data.is_array()) {
    return std::ranges::all_of(
        data, [&](const Document& item) { return add_images(item, images, count); });
  }
  if (!data.is_string() || images.size() == count) return false;
  auto bytes = decode_base64(data.get_ref<const std::string&>());
  if (bytes) images.push_back({"", std::move(*bytes)});
  return bytes.has_value();
}

OrProblem<std::vector<Image>> read_texts(const Document& data, std::size_t count) {
  std::vector<Image> images;
  if (!data.is_array() || !add_images(data, images, count) || images.size() != count) {
    return wrong("inputs[0].data: expected as many base64 texts as the shape has elements");
  }
  return images;
}

OrProblem<std::vector<Image>> read_input(const Document& input, const Body& body,
                                         std::string_view binary, const Policy& policy) {
  if (member(input, "name") != "image") {
    return wrong("inputs[0].name: expected 'image', the model's only input");
  }
  if (member(input, "datatype") != "BYTES") return wrong("inputs[0].datatype: expected 'BYTES'");
  const auto count = element_count(member(input, "shape"), policy);
  if (!count) return tl::unexpected(count.error());
  const Document& size = member(member(input, "parameters"), "binary_data_size");
  const Document& data = member(input, "data");
  if (size.is_null()) {
    if (!binary.empty()) return wrong("bytes behind the JSON that no input has");
    return read_texts(data, *count);
  }
  if (!data.is_null()) return wrong("inputs[0]: has both data and binary_data_size");
  if (!size.is_number_unsigned() || size.get<std::uint64_t>() != binary.size()) {
    return wrong("inputs[0].parameters.binary_data_size: the body has another size");
  }
  return read_binary(body, binary, *count);
}

bool flag(const Document& parameters, const char* name, bool fallback) {
  const Document& value = member(parameters, name);
  return value.is_boolean() ? value.get<bool>() : fallback;
}

OrProblem<std::vector<RequestedOutput>> read_outputs(const Document& document) {
  const bool binary = flag(member(document, "parameters"), "binary_data_output", false);
  std::vector<RequestedOutput> outputs;
  const Document& asked = member(document, "outputs");
  if (asked.is_null()) {
    for (const std::string& name : output_names()) outputs.push_back({name, binary});
    return outputs;
  }
  if (!asked.is_array()) return wrong("outputs: expected an array");
  for (const Document& one : asked) {
    const Document& name = member(one, "name");
    const std::string text = name.is_string() ? name.get<std::string>() : "";
    if (std::ranges::find(output_names(), text) == output_names().end()) {
      return wrong("outputs: the model has no such output; see its metadata");
    }
    outputs.push_back({text, flag(member(one, "parameters"), "binary_data", binary)});
  }
  return outputs;
}

}  // namespace

const std::vector<std::string>& output_names() {
  static const std::vector<std::string> kNames = {"label", "class",  "probability", "source",
                                                  "model", "status", "reason"};
  return kNames;
}

OrProblem<InferRequest> read_infer_request(const RequestHead& head, const Body& body,
                                           const Policy& policy) {
  const auto parts = split(head, *body);
  if (!parts) return tl::unexpected(parts.error());
  // Each image may be in an array of its own; the rest is names and parameters.
  const auto document = read_json(parts->json, 4 * policy.images_max + 256);
  if (!document) return tl::unexpected(document.error());
  const Document& inputs = member(*document, "inputs");
  if (!inputs.is_array() || inputs.size() != 1) {
    return wrong("inputs: expected one input, 'image'");
  }
  InferRequest request;
  const Document& id = member(*document, "id");
  if (!id.is_null() && !id.is_string()) return wrong("id: expected a text");
  if (id.is_string()) request.id = id.get<std::string>();
  auto images = read_input(inputs[0], body, parts->binary, policy);
  if (!images) return tl::unexpected(images.error());
  auto outputs = read_outputs(*document);
  if (!outputs) return tl::unexpected(outputs.error());
  request.images = std::move(*images);
  request.outputs = std::move(*outputs);
  return request;
}

}  // namespace gateway
