#include "gateway/classify_request.h"

#include <optional>
#include <string>
#include <utility>

#include "gateway/base64.h"
#include "gateway/json_text.h"
#include "gateway/multipart.h"

namespace gateway {
namespace {

using Document = nlohmann::json;

tl::unexpected<Problem> wrong(int status, std::string reason, std::string detail) {
  return tl::unexpected(Problem{status, std::move(reason), std::move(detail)});
}

tl::unexpected<Problem> too_many(const Policy& policy) {
  return wrong(413, "too_many_images",
               "expected at most " + std::to_string(policy.images_max) + " images a request");
}

bool is_image_type(std::string_view type) {
  return type.starts_with("image/") || type == "application/octet-stream";
}

OrProblem<ClassifyRequest> read_form(std::string_view content_type, const Body& body,
                                     const Policy& policy) {
  // A form may have fields besides its files.
  const auto parts = read_multipart(content_type, *body, 2 * policy.images_max + 16);
  if (!parts) return tl::unexpected(parts.error());
  ClassifyRequest request;
  for (const Part& part : *parts) {
    if (part.filename.empty() && !is_image_type(part.type)) continue;
    if (request.images.size() == policy.images_max) return too_many(policy);
    request.images.push_back(
        {part.filename.empty() ? part.name : part.filename, share(body, part.content)});
  }
  if (request.images.empty()) {
    return wrong(400, "no_image", "the form has no file, expected a part with a filename");
  }
  request.list = request.images.size() > 1;
  return request;
}

// "<base64>" or {"image": "<base64>", "name": "..."}.
std::optional<Image> read_item(const Document& item) {
  const Document* text = &item;
  Image image;
  if (item.is_object()) {
    const auto found = item.find("image");
    const auto name = item.find("name");
    if (found == item.end()) return std::nullopt;
    text = &*found;
    if (name != item.end()) {
      if (!name->is_string()) return std::nullopt;
      image.name = name->get<std::string>();
    }
  }
  if (!text->is_string()) return std::nullopt;
  auto bytes = decode_base64(text->get_ref<const std::string&>());
  if (!bytes) return std::nullopt;
  image.bytes = std::move(*bytes);
  return image;
}

OrProblem<ClassifyRequest> read_json_request(const Body& body, const Policy& policy) {
  // An item is an object with two members, so five values and keys, and there is room for more.
  const auto document = read_json(*body, 8 * policy.images_max + 16);
  if (!document) return tl::unexpected(document.error());
  const std::string form = "expected {\"image\": BASE64} or {\"images\": [BASE64, ...]}";
  if (!document->is_object()) return wrong(400, "bad_json", form);
  ClassifyRequest request;
  const auto images = document->find("images");
  request.list = images != document->end();
  if (request.list == document->contains("image") || (request.list && !images->is_array())) {
    return wrong(400, "bad_json", form);
  }
  const std::size_t count = request.list ? images->size() : 1;
  if (count > policy.images_max) return too_many(policy);
  for (std::size_t i = 0; i < count; ++i) {
    auto image = read_item(request.list ? (*images)[i] : *document);
    if (!image) {
      return wrong(400, "bad_base64", "image " + std::to_string(i) + " is not base64 text");
    }
    request.images.push_back(std::move(*image));
  }
  if (request.images.empty()) return wrong(400, "no_image", "the list of images is empty");
  return request;
}

}  // namespace

OrProblem<ClassifyRequest> read_classify_request(const RequestHead& head, const Body& body,
                                                 const Policy& policy) {
  const std::string type = media_type(head.header("Content-Type"));
  if (type == "multipart/form-data") return read_form(head.header("Content-Type"), body, policy);
  if (type == "application/json") return read_json_request(body, policy);
  if (!is_image_type(type)) {
    return wrong(415, "unsupported_type",
                 "Content-Type is '" + type +
                     "', expected an image's such as image/jpeg, application/octet-stream, "
                     "multipart/form-data or application/json");
  }
  if (body->empty()) return wrong(400, "empty_image", "the body is empty");
  return ClassifyRequest{.images = {{"", share(body, *body)}}, .list = false};
}

}  // namespace gateway
