// The Open Inference Protocol: requests in JSON and in binary form, and what is answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "gateway/infer_request.h"
#include "gateway/infer_response.h"
#include "tests/gateway/requests.h"

namespace gateway {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

OrProblem<InferRequest> read(const std::string& text, HeaderList headers = {}) {
  return read_infer_request(head(std::move(headers)), body(text), {.images_max = 4});
}

// A request with these members in its only input.
std::string with_input(const std::string& members) {
  return R"({"inputs": [{"name": "image", "datatype": "BYTES", )" + members + "}]}";
}

std::string element(const std::string& bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  return out + bytes;
}

OrProblem<InferRequest> read_binary(const std::string& shape, const std::string& data,
                                    std::size_t announced) {
  const std::string text =
      with_input(R"("shape": )" + shape + R"(, "parameters": {"binary_data_size": )" +
                 std::to_string(announced) + "}");
  return read(text + data, {{"inference-header-content-length", std::to_string(text.size())}});
}

TEST(InferRequest, DataInJsonAreBase64FlatOrNested) {
  for (const char* input :
       {R"("shape": [2], "data": ["QQ==", "Qg=="])", R"("shape": [2, 1], "data": ["QQ==", "Qg=="])",
        R"("shape": [2, 1], "data": [["QQ=="], ["Qg=="]])"}) {
    const auto request = read(with_input(input));
    ASSERT_TRUE(request.has_value()) << input << request.error().detail;
    EXPECT_THAT(texts_of(request->images), ElementsAre("A", "B"));
    EXPECT_EQ(request->outputs.size(), output_names().size());
  }
}

TEST(InferRequest, BinaryDataAreLengthsAndBytes) {
  const std::string data = element("first") + element("") + element("third\n");
  const auto request = read_binary("[3]", data, data.size());
  ASSERT_TRUE(request.has_value());
  EXPECT_THAT(texts_of(request->images), ElementsAre("first", "", "third\n"));
}

TEST(InferRequest, BinaryDataThatDisagreeWithTheirLengthsAreRefused) {
  const std::string data = element("first") + element("second");
  EXPECT_FALSE(read_binary("[2]", data, data.size() - 1).has_value());
  EXPECT_FALSE(read_binary("[2]", data, data.size() + 1).has_value());
  EXPECT_FALSE(read_binary("[1]", data, data.size()).has_value());
  EXPECT_FALSE(read_binary("[3]", data, data.size()).has_value());
  EXPECT_FALSE(read_binary("[2]", data + "xyz", data.size() + 3).has_value());
  const std::string lie = "\xff\xff\xff\xff" + std::string("short");
  EXPECT_FALSE(read_binary("[1]", lie, lie.size()).has_value());
}

TEST(InferRequest, AWrongLengthOfTheJsonIsRefused) {
  const std::string text = with_input(R"("shape": [1], "data": ["QQ=="])");
  for (const char* length : {"-1", "0", "5", "1000000", "x", "18446744073709551616"}) {
    EXPECT_FALSE(read(text, {{"Inference-Header-Content-Length", length}}).has_value()) << length;
  }
  EXPECT_TRUE(
      read(text, {{"Inference-Header-Content-Length", std::to_string(text.size())}}).has_value());
  EXPECT_FALSE(
      read(text + "rest", {{"Inference-Header-Content-Length", std::to_string(text.size())}})
          .has_value());
}

TEST(InferRequest, ShapesAndDataMustAgree) {
  for (const char* input :
       {R"("data": ["QQ=="])", R"("shape": [], "data": [])", R"("shape": [0], "data": [])",
        R"("shape": [1, 2], "data": ["QQ==", "QQ=="])", R"("shape": [1, 1, 1], "data": ["QQ=="])",
        R"("shape": [-1], "data": ["QQ=="])", R"("shape": [1.5], "data": ["QQ=="])",
        R"("shape": ["1"], "data": ["QQ=="])", R"("shape": 1, "data": ["QQ=="])",
        R"("shape": [2], "data": ["QQ=="])", R"("shape": [1], "data": ["QQ==", "QQ=="])",
        R"("shape": [1], "data": "QQ==")", R"("shape": [1], "data": [5])",
        R"("shape": [1], "data": ["no"])", R"("shape": [1])",
        R"("shape": [1], "data": ["QQ=="], "parameters": {"binary_data_size": 0})",
        R"("shape": [1], "parameters": {"binary_data_size": "0"})"}) {
    const auto request = read(with_input(input));
    ASSERT_FALSE(request.has_value()) << input;
    EXPECT_EQ(request.error().status, 400) << input;
  }
  EXPECT_EQ(read(with_input(R"("shape": [5], "data": [])")).error().status, 413);
  EXPECT_EQ(read(with_input(R"("shape": [18446744073709551615, 1], "data": [])")).error().status,
            413);
}

TEST(InferRequest, TheInputIsCalledImageAndIsOfBytes) {
  for (const char* text :
       {"", "[]", "{}", R"({"inputs": {}})", R"({"inputs": []})", R"({"inputs": [5]})",
        R"({"inputs": [{}, {}]})",
        R"({"inputs": [{"name": "x", "datatype": "BYTES", "shape": [1], "data": ["QQ=="]}]})",
        R"({"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1], "data": [1]}]})",
        R"({"id": 5, "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1],
            "data": ["QQ=="]}]})"}) {
    EXPECT_FALSE(read(text).has_value()) << text;
  }
}

TEST(InferRequest, OutputsAreThoseAskedFor) {
  const std::string input =
      R"("inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["QQ=="]}])";
  const auto some = read("{" + input + R"(, "parameters": {"binary_data_output": true}, "outputs":
      [{"name": "class"}, {"name": "label", "parameters": {"binary_data": false}}]})");
  ASSERT_TRUE(some.has_value());
  ASSERT_EQ(some->outputs.size(), 2u);
  EXPECT_EQ(some->outputs[0].name, "class");
  EXPECT_TRUE(some->outputs[0].binary);
  EXPECT_FALSE(some->outputs[1].binary);
  EXPECT_FALSE(read("{" + input + R"(, "outputs": [{"name": "other"}]})").has_value());
  EXPECT_FALSE(read("{" + input + R"(, "outputs": [5]})").has_value());
  EXPECT_FALSE(read("{" + input + R"(, "outputs": {}})").has_value());
}

InferRequest asking_for(std::size_t images, bool binary) {
  InferRequest request{.id = "7", .images = std::vector<Image>(images), .outputs = {}};
  for (const std::string& name : output_names()) request.outputs.push_back({name, binary});
  return request;
}

TEST(InferResponse, TensorsAreInJson) {
  const Response response = infer_response(asking_for(1, false), {answered()});
  EXPECT_EQ(response.status, 200);
  const json read = json::parse(response.body);
  EXPECT_EQ(read["model_name"], "collage");
  EXPECT_EQ(read["id"], "7");
  std::map<std::string, json> outputs;
  for (const json& output : read["outputs"]) outputs[output["name"]] = output;
  EXPECT_EQ(outputs["label"]["shape"], json({1, 2}));
  EXPECT_EQ(outputs["label"]["datatype"], "INT64");
  EXPECT_EQ(outputs["label"]["data"], json({4, 6}));
  EXPECT_EQ(outputs["class"]["data"], json({"coat", "shirt"}));
  EXPECT_FLOAT_EQ(outputs["probability"]["data"][0], 0.9F);
  EXPECT_EQ(outputs["source"]["data"], json({"collage"}));
  EXPECT_EQ(outputs["model"]["data"], json({"collage-1"}));
  EXPECT_EQ(outputs["status"]["data"], json({200}));
}

TEST(InferResponse, AnImageThatWasNotAnsweredHasLabelMinusOne) {
  const Response response =
      infer_response(asking_for(2, false),
                     {ended(wire::ResultStatus::rejected, wire::Reason::not_an_image), answered()});
  EXPECT_EQ(response.status, 200);
  const json outputs = json::parse(response.body)["outputs"];
  EXPECT_EQ(outputs[0]["data"], json({-1, -1, 4, 6}));
  EXPECT_EQ(outputs[1]["data"], json({"", "", "coat", "shirt"}));
  EXPECT_EQ(outputs[5]["data"], json({415, 200}));
  EXPECT_EQ(outputs[6]["data"], json({"not_an_image", ""}));
}

TEST(InferResponse, BinaryTensorsStandBehindTheJson) {
  const Response response = infer_response(asking_for(1, true), {answered()});
  EXPECT_EQ(response.type, "application/octet-stream");
  const std::size_t size = std::stoul(header_of(response, "Inference-Header-Content-Length"));
  const json outputs = json::parse(response.body.substr(0, size))["outputs"];
  std::string rest = response.body.substr(size);
  std::map<std::string, std::string> data;
  for (const json& output : outputs) {
    const std::size_t bytes = output["parameters"]["binary_data_size"];
    data[output["name"]] = rest.substr(0, bytes);
    rest.erase(0, bytes);
  }
  EXPECT_EQ(rest, "");
  std::int64_t labels[2];
  ASSERT_EQ(data["label"].size(), sizeof labels);
  std::memcpy(labels, data["label"].data(), sizeof labels);
  EXPECT_THAT(labels, ElementsAre(4, 6));
  float probabilities[2];
  ASSERT_EQ(data["probability"].size(), sizeof probabilities);
  std::memcpy(probabilities, data["probability"].data(), sizeof probabilities);
  EXPECT_THAT(probabilities, ElementsAre(0.9F, 0.1F));
  EXPECT_EQ(data["class"], element("coat") + element("shirt"));
}

TEST(InferResponse, IfNoImageWasAnsweredItIsAnError) {
  const Response response =
      infer_response(asking_for(1, false), {ended(wire::ResultStatus::missing)});
  EXPECT_EQ(response.status, 504);
  EXPECT_THAT(json::parse(response.body)["error"], HasSubstr("missing"));
}

TEST(InferResponse, MetadataNameTheInputAndTheOutputs) {
  const json server = json::parse(server_metadata("1.2.3").body);
  EXPECT_EQ(server["name"], "collage");
  EXPECT_EQ(server["version"], "1.2.3");
  EXPECT_EQ(server["extensions"], json({"binary_tensor_data"}));
  const json model = json::parse(model_metadata().body);
  EXPECT_EQ(model["name"], "collage");
  EXPECT_EQ(model["versions"], json({"1"}));
  EXPECT_EQ(model["inputs"],
            json::parse(R"([{"name": "image", "datatype": "BYTES", "shape": [-1]}])"));
  EXPECT_EQ(model["outputs"].size(), output_names().size());
  EXPECT_EQ(model["outputs"][2],
            json::parse(R"({"name": "probability", "datatype": "FP32", "shape": [-1, -1]})"));
  EXPECT_EQ(health_response("ready", false).status, 503);
  EXPECT_EQ(health_response("live", true).body, R"({"live":true})");
}

}  // namespace
}  // namespace gateway
