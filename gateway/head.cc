#include "gateway/head.h"

#include <charconv>
#include <string>
#include <system_error>

namespace gateway {
namespace {

tl::unexpected<Problem> bad_length(std::string detail) {
  return tl::unexpected(Problem{400, "bad_length", std::move(detail)});
}

// Digits alone: from_chars would take a sign, and strtoull spaces and a negative number too.
std::optional<std::size_t> parse_length(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error == std::errc::result_out_of_range) return SIZE_MAX;
  return end == text.data() + text.size() ? std::optional(length) : std::nullopt;
}

}  // namespace

Problem body_too_large(const Policy& policy) {
  return {413, "body_too_large",
          "the body is larger than " + std::to_string(policy.body_bytes_max) + " bytes"};
}

OrProblem<BodyLength> judge_body(const RequestHead& head, const Policy& policy) {
  const std::size_t lengths = head.count("Content-Length");
  const std::size_t encodings = head.count("Transfer-Encoding");
  // Whoever reads the one and whoever reads the other would see different requests.
  if (lengths + encodings > 1) {
    return bad_length("Content-Length and Transfer-Encoding: expected one of them, once");
  }
  const std::string coding = media_type(head.header("Content-Encoding"));
  if (!coding.empty() && coding != "identity") {
    return tl::unexpected(
        Problem{415, "unsupported_encoding",
                "the body is compressed; send images as they are, without Content-Encoding"});
  }
  if (encodings == 1) {
    if (!same_ignoring_case(head.header("Transfer-Encoding"), "chunked")) {
      return bad_length("Transfer-Encoding: expected chunked");
    }
    return BodyLength{std::nullopt};
  }
  if (lengths == 0) return BodyLength{0};
  const auto length = parse_length(head.header("Content-Length"));
  if (!length) return bad_length("Content-Length: expected a number of bytes");
  if (*length > policy.body_bytes_max) {
    return tl::unexpected(body_too_large(policy));
  }
  return BodyLength{*length};
}

}  // namespace gateway
