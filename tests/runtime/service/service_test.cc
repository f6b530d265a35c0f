#include "runtime/service/service.h"

#include <gtest/gtest.h>

#include "tests/runtime/security/key_folder.h"

namespace {

using runtime::KeyOwner;
using runtime::LinkName;

TEST(WithinHost, IsTrueForEndpointsThatNoOtherHostCanReach) {
  EXPECT_TRUE(runtime::within_host("tcp://127.0.0.1:5570"));
  EXPECT_TRUE(runtime::within_host("tcp://localhost:5570"));
  EXPECT_TRUE(runtime::within_host("tcp://[::1]:5570"));
  EXPECT_TRUE(runtime::within_host("inproc://collage"));
  EXPECT_FALSE(runtime::within_host("tcp://*:5570"));
  EXPECT_FALSE(runtime::within_host("tcp://0.0.0.0:5570"));
  EXPECT_FALSE(runtime::within_host("tcp://10.0.0.5:5570"));
}

class OpenKeys : public testing::Test {
 protected:
  OpenKeys() {
    config.keys = folder.path();
    folder.own("broker", pair);
    folder.own("sink", pair);
    folder.own("stage", pair);
  }

  const runtime::KeyPair pair = runtime::new_key_pair();
  runtime_test::KeyFolder folder;
  runtime::ServiceConfig config;
};

TEST_F(OpenKeys, ThereAreNoneWithoutAFolder) {
  EXPECT_EQ(runtime::open_keys({}, KeyOwner::broker), nullptr);
}

TEST_F(OpenKeys, AClientMustHaveAServerKey) {
  EXPECT_NE(runtime::open_keys(config, KeyOwner::broker), nullptr);
  EXPECT_THROW(runtime::open_keys(config, KeyOwner::sink), runtime::ConfigError);
  folder.trust("broker", {pair.shared});
  EXPECT_NE(runtime::open_keys(config, KeyOwner::sink), nullptr);
  EXPECT_THROW(runtime::open_keys(config, KeyOwner::stage), runtime::ConfigError);
  folder.trust("sink", {pair.shared});
  EXPECT_NE(runtime::open_keys(config, KeyOwner::stage), nullptr);
}

TEST_F(OpenKeys, LinksWithinAProcessArePlain) {
  const auto keys = runtime::open_keys(config, KeyOwner::broker);
  EXPECT_TRUE(keyed(runtime::bound_router("tcp://10.0.0.5:1", 1, keys, LinkName::workers)));
  EXPECT_FALSE(keyed(runtime::bound_router("inproc://collage", 1, keys, LinkName::collage)));
  EXPECT_FALSE(keyed(runtime::bound_router("tcp://10.0.0.5:1", 1)));
}

}  // namespace
