// The images of POST /v1/classify in every form that a client may give them.
#include "gateway/classify_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/json_text.h"
#include "gateway/multipart.h"
#include "tests/gateway/requests.h"

namespace gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kForm = "multipart/form-data; boundary=XX";

OrProblem<ClassifyRequest> read(const std::string& type, const std::string& text,
                                std::size_t images_max = 4) {
  return read_classify_request(typed(type), body(text), {.images_max = images_max});
}

int status(const OrProblem<ClassifyRequest>& request) {
  return request ? 200 : request.error().status;
}

std::string part(const std::string& disposition, const std::string& content) {
  return "--XX\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n";
}

TEST(ClassifyRequest, ABodyOfAnImageTypeIsTheImage) {
  for (const char* type : {"image/jpeg", "IMAGE/PNG; q=1", "application/octet-stream"}) {
    const auto request = read(type, "bytes\r\n--XX");
    ASSERT_TRUE(request.has_value()) << type;
    EXPECT_THAT(texts_of(request->images), ElementsAre("bytes\r\n--XX"));
    EXPECT_FALSE(request->list);
  }
  EXPECT_EQ(read("image/png", "").error().reason, "empty_image");
}

TEST(ClassifyRequest, AnotherTypeIsRefusedWithTheTypesThatAreNot) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "imagejpeg"}) {
    const auto request = read(type, "bytes");
    ASSERT_EQ(status(request), 415) << type;
    EXPECT_THAT(request.error().detail, HasSubstr("image/jpeg"));
  }
}

TEST(ClassifyRequest, AnImageSharesTheBytesOfTheBody) {
  const Body whole = body("picture");
  const auto request = read_classify_request(typed("image/png"), whole, {});
  EXPECT_EQ(static_cast<const void*>(request->images[0].bytes.bytes().data()), whole->data());
}

TEST(ClassifyRequest, FilesOfAFormAreImagesAndItsFieldsAreNot) {
  const auto one = read(kForm, part(R"(form-data; name="f"; filename="a \"b\".png")", "A\r\n-") +
                                   part(R"(form-data; name="token")", "secret") + "--XX--\r\n");
  ASSERT_TRUE(one.has_value());
  EXPECT_THAT(texts_of(one->images), ElementsAre("A\r\n-"));
  EXPECT_EQ(one->images[0].name, "a \"b\".png");
  EXPECT_FALSE(one->list);

  const auto two = read(kForm, "preamble\r\n" + part("form-data; filename=a.png; name=f", "A") +
                                   part("form-data; name=f; filename=b.png", "") + "--XX--");
  ASSERT_TRUE(two.has_value());
  EXPECT_THAT(texts_of(two->images), ElementsAre("A", ""));
  EXPECT_TRUE(two->list);
}

TEST(ClassifyRequest, APartOfAnImageTypeNeedsNoFilename) {
  const auto request = read(kForm,
                            "--XX\r\ncontent-type: image/png\r\n"
                            "content-disposition: form-data; name=\"x\"\r\n\r\nP\r\n--XX--\r\n");
  ASSERT_TRUE(request.has_value());
  EXPECT_THAT(texts_of(request->images), ElementsAre("P"));
  EXPECT_EQ(request->images[0].name, "x");
}

TEST(ClassifyRequest, AFormThatIsNotWellFormedIsRefused) {
  const std::string good = part(R"(form-data; name="f"; filename="a")", "A");
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"multipart/form-data", good + "--XX--"},
      {"multipart/form-data; boundary=", good + "--XX--"},
      {"multipart/form-data; boundary=" + std::string(71, 'X'), good + "--XX--"},
      {"multipart/form-data; boundary=YY", good + "--XX--"},
      {kForm, ""},
      {kForm, "--XX"},
      {kForm, good},
      {kForm, "--XXmore\r\n\r\n"},
      {kForm, "--XX\r\nContent-Disposition: form-data; name=\"f\"\r\n--XX--"},
      {kForm, part(R"(form-data; filename="a")", "A") + "--XX--"},
      {kForm,
       part("form-data; name=\"" + std::string(9000, 'n') + "\"; filename=a", "A") + "--XX--"},
      {kForm, "--XX\r\n\r\nno headers\r\n--XX--"}};
  for (const auto& [type, text] : wrong) {
    const auto request = read(type, text);
    ASSERT_EQ(status(request), 400) << type << "\n" << text.substr(0, 200);
    EXPECT_EQ(request.error().reason, "bad_multipart");
  }
  EXPECT_EQ(read(kForm, "--XX--").error().reason, "no_image");
  EXPECT_EQ(read(kForm, part(R"(form-data; name="f")", "text") + "--XX--").error().reason,
            "no_image");
}

TEST(ClassifyRequest, MoreFilesThanAllowedAreRefused) {
  std::string form;
  for (int i = 0; i < 5; ++i) form += part(R"(form-data; name="f"; filename="a")", "A");
  EXPECT_EQ(status(read(kForm, form + "--XX--", 5)), 200);
  EXPECT_EQ(status(read(kForm, form + "--XX--", 4)), 413);
  std::string fields;
  for (int i = 0; i < 1000; ++i) fields += part(R"(form-data; name="f")", "");
  EXPECT_EQ(status(read(kForm, fields + "--XX--", 4)), 400);
}

TEST(ClassifyRequest, JsonHasOneImageOrAList) {
  const auto one = read("application/json", R"({"image": "cGljdHVyZQ==", "name": "a.png"})");
  ASSERT_TRUE(one.has_value());
  EXPECT_THAT(texts_of(one->images), ElementsAre("picture"));
  EXPECT_EQ(one->images[0].name, "a.png");
  EXPECT_FALSE(one->list);

  const auto list = read("application/json; charset=utf-8",
                         R"({"images": ["QQ==", {"image": "data:image/png;base64,Qg==\n"}]})");
  ASSERT_TRUE(list.has_value());
  EXPECT_THAT(texts_of(list->images), ElementsAre("A", "B"));
  EXPECT_TRUE(list->list);
  EXPECT_TRUE(read("application/json", R"({"images": ["QQ=="]})")->list);
}

TEST(ClassifyRequest, JsonThatIsNotWellFormedIsRefused) {
  for (const char* text : {"", "[]", "{}", "null", "{", R"({"image": "QQ=="} {})",
                           R"({"images": "QQ=="})", R"({"image": "QQ==", "images": []})",
                           "\"QQ==\"", R"({"image": "QQ==)", "{\"a\": \"\\", "\xff\xfe"}) {
    const auto request = read("application/json", text);
    ASSERT_EQ(status(request), 400) << text;
    EXPECT_EQ(request.error().reason, "bad_json") << text;
  }
  EXPECT_EQ(read("application/json", R"({"images": []})").error().reason, "no_image");
  EXPECT_EQ(status(read("application/json", R"({"images": ["QQ==", "QQ==", "QQ=="]})", 2)), 413);
}

TEST(ClassifyRequest, TextThatIsNotBase64IsRefusedWithItsPlace) {
  for (const char* text : {"\"Q\"", "\"QQ\"", "\"QQ=\"", "\"Q Q=\"", "\"QR==\"", "\"QQ==x\"",
                           "\"-_==\"", "5", "null", "[\"QQ==\"]", "{}", R"({"image": 5})",
                           R"({"image": "QQ==", "name": 5})", "\"data:image/png,QQ==\""}) {
    const auto request =
        read("application/json", R"({"images": ["QQ==", )" + std::string(text) + "]}");
    ASSERT_EQ(status(request), 400) << text;
    EXPECT_EQ(request.error().reason, "bad_base64") << text;
    EXPECT_THAT(request.error().detail, HasSubstr("image 1 "));
  }
}

TEST(JsonText, BoundsHoldBeforeTheTextIsParsed) {
  const std::string deep(1 << 20, '[');
  EXPECT_EQ(read_json(deep, 10).error().detail, "the JSON is nested too deeply");
  std::string wide = "[0";
  for (int i = 0; i < 1000; ++i) wide += ",0";
  EXPECT_EQ(read_json(wide + "]", 1000).error().detail, "the JSON has too many values");
  EXPECT_TRUE(read_json(wide + "]", 1100).has_value());
  // Brackets in texts are no brackets, not even behind an escaped quote.
  EXPECT_TRUE(read_json(R"({"a": "[[[[[[[[[[[[\"[[[[[[[[\\"})", 10).has_value());
}

}  // namespace
}  // namespace gateway
