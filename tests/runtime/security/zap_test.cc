#include "runtime/security/zap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zmq.h>

#include <array>

namespace {

using runtime::KeyName;
using runtime::KeyPair;
using runtime::Keyring;
using runtime::ZapAnswer;
using testing::ElementsAre;
using testing::HasSubstr;
using Role = KeyName::Role;

std::string binary(const runtime::PublicKey& key) {
  std::array<std::uint8_t, 32> bytes{};
  EXPECT_NE(zmq_z85_decode(bytes.data(), key.text().c_str()), nullptr);
  return {bytes.begin(), bytes.end()};
}

class ZapTest : public testing::Test {
 protected:
  ZapTest() {
    keyring.allowed.emplace(stage.shared.text(), KeyName{Role::stage, "h1"});
    keyring.allowed.emplace(producer.shared.text(), KeyName{Role::producer, "p1"});
  }
  static std::vector<std::string> request(const std::string& domain, const std::string& key) {
    return {"1.0", "42", domain, "10.0.0.7", "", "CURVE", key};
  }
  ZapAnswer ask(const std::vector<std::string>& frames) const {
    return runtime::answer_zap(frames, keyring);
  }
  void expect_refused(const std::vector<std::string>& frames, const std::string& why) const {
    const ZapAnswer answer = ask(frames);
    EXPECT_FALSE(answer.admitted);
    EXPECT_THAT(answer.why, HasSubstr(why));
    ASSERT_EQ(answer.frames.size(), 6u);
    EXPECT_EQ(answer.frames[2], "400");
    EXPECT_EQ(answer.frames[4], "");
  }

  const KeyPair stage = runtime::new_key_pair();
  const KeyPair producer = runtime::new_key_pair();
  const KeyPair unlisted = runtime::new_key_pair();
  Keyring keyring{{}, runtime::new_key_pair(), {}, {}, {}, {}};
};

TEST_F(ZapTest, AdmitsAKnownKeyToItsLinkUnderItsKey) {
  const ZapAnswer answer = ask(request("workers", binary(stage.shared)));
  EXPECT_TRUE(answer.admitted);
  EXPECT_THAT(answer.frames, ElementsAre("1.0", "42", "200", "OK", stage.shared.text(), ""));
}

TEST_F(ZapTest, RefusesAnUnknownKeyAndSaysWhoseFromWhere) {
  expect_refused(request("workers", binary(unlisted.shared)), unlisted.shared.text());
  EXPECT_EQ(ask(request("workers", binary(unlisted.shared))).address, "10.0.0.7");
}

TEST_F(ZapTest, RefusesAProducersKeyOnTheWorkersLink) {
  expect_refused(request("workers", binary(producer.shared)), "producer p1 is not for the workers");
}

TEST_F(ZapTest, RefusesAnotherDomain) {
  expect_refused(request("", binary(stage.shared)), "unknown domain");
  expect_refused(request("WORKERS", binary(stage.shared)), "unknown domain");
}

TEST_F(ZapTest, RefusesOtherMechanisms) {
  auto null = request("workers", "");
  null[5] = "NULL";
  expect_refused(null, "the peer has no key");
  auto plain = request("workers", "user");
  plain[5] = "PLAIN";
  plain.push_back("password");
  expect_refused(plain, "not a request of ZAP 1.0");
}

TEST_F(ZapTest, RefusesAnotherVersion) {
  auto other = request("workers", binary(stage.shared));
  other[0] = "1.1";
  expect_refused(other, "not a request of ZAP 1.0");
}

TEST_F(ZapTest, RefusesAKeyOfAnotherLength) {
  expect_refused(request("workers", binary(stage.shared) + "x"), "32 bytes");
  expect_refused(request("workers", ""), "32 bytes");
}

TEST_F(ZapTest, RefusesARequestThatIsShort) {
  expect_refused({"1.0", "42"}, "not a request of ZAP 1.0");
  expect_refused({}, "not a request of ZAP 1.0");
}

TEST_F(ZapTest, AnAddressCannotBreakTheLog) {
  auto frames = request("workers", binary(unlisted.shared));
  frames[3] = "10.0.0.7\nroot logged in";
  EXPECT_EQ(ask(frames).address.find('\n'), std::string::npos);
}

}  // namespace
