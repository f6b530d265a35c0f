// docs/WIRE.md shows every message as fields, values and hex; the three must agree with the codec.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <msgpack.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/wire/samples.h"
#include "wire/codec.h"

namespace {

using namespace wire;

struct Example {
  std::size_t number = 0;
  std::string fields;  // The names of the fields without the payload.
  std::string values;
  std::string payload;  // The payload in hex.
  std::string header;
};

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    for (const int nibble : {byte >> 4, byte & 15}) text += "0123456789abcdef"[nibble];
  }
  return text;
}

std::vector<std::uint8_t> unhex(const std::string& text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// An example is "### kind (number)", prose, and indented lines with names, values and hex.
std::map<std::string, Example> examples() {
  std::map<std::string, Example> found;
  std::ifstream file(COLLAGE_WIRE_MD);
  EXPECT_TRUE(file) << COLLAGE_WIRE_MD;
  Example* example = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### ")) {
      std::istringstream heading(line.substr(4));
      std::string name;
      char bracket = 0;
      std::size_t number = 0;
      heading >> name >> bracket >> number;
      example = &found[name];
      example->number = number;
    } else if (line.starts_with("## ")) {
      example = nullptr;
    } else if (example && line.starts_with("    ")) {
      const std::size_t plus = line.find(" + ");
      std::string body = without_spaces(line.substr(0, plus));
      if (example->fields.empty()) {
        example->fields = body;
      } else if (example->values.empty()) {
        example->values = body;
        if (plus != std::string::npos) example->payload = line.substr(plus + 3);
      } else {
        example->header += body;
      }
    }
  }
  return found;
}

std::vector<Payload> payloads(const std::string& text) {
  return text.empty() ? std::vector<Payload>{} : std::vector{Payload(unhex(text))};
}

TEST(WireMd, HasAnExampleOfEveryMessageAndNoOther) {
  std::vector<std::string> kinds;
  for (const Message& message : wire_test::samples()) kinds.emplace_back(kind(message));
  std::vector<std::string> found;
  for (const auto& [name, example] : examples()) found.push_back(name);
  EXPECT_THAT(found, testing::UnorderedElementsAreArray(kinds));
}

TEST(WireMd, ShowsWhatIsSent) {
  const auto documented = examples();
  for (const Message& message : wire_test::samples()) {
    const auto at = documented.find(std::string(kind(message)));
    ASSERT_NE(at, documented.end()) << kind(message);
    const Example& example = at->second;
    SCOPED_TRACE(at->first);
    const Frames frames = encode(message);
    EXPECT_EQ(example.number, message.index() + 1);
    EXPECT_EQ(example.header, hex(frames.header));
    EXPECT_EQ(example.payload, hex(frames.payload.bytes()));
  }
}

TEST(WireMd, ItsHexDecodesToItsValuesAndEncodesAgain) {
  for (const auto& [name, example] : examples()) {
    SCOPED_TRACE(name);
    const auto header = unhex(example.header);
    const auto decoded = decode(header, payloads(example.payload));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(kind(*decoded), name);
    EXPECT_EQ(encode(*decoded).header, header);
    const auto values =
        msgpack::unpack(reinterpret_cast<const char*>(header.data()), header.size());
    std::ostringstream text;
    text << values.get();
    EXPECT_EQ(example.values, text.str());
    const auto fields = std::count(example.fields.begin(), example.fields.end(), ',') + 1;
    EXPECT_EQ(static_cast<std::uint32_t>(fields), values.get().via.array.size);
  }
}

}  // namespace
