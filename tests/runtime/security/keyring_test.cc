#include "runtime/security/keyring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/config/config_error.h"
#include "tests/runtime/security/key_folder.h"

namespace {

using runtime::KeyName;
using runtime::KeyOwner;
using runtime::KeyPair;
using runtime::Keyring;
using runtime::KeyStore;
using runtime::LinkName;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Role = KeyName::Role;

class KeyringTest : public testing::Test {
 protected:
  KeyringTest() { folder.own("sink", own); }

  Keyring read() const { return runtime::read_keyring(folder.path(), KeyOwner::sink); }
  template <class Action>
  static std::string refusal(Action action) {
    try {
      action();
    } catch (const runtime::ConfigError& error) {
      return error.what();
    }
    return "accepted";
  }

  runtime_test::KeyFolder folder;
  const KeyPair own = runtime::new_key_pair();
  const KeyPair one = runtime::new_key_pair();
  const KeyPair two = runtime::new_key_pair();
};

TEST_F(KeyringTest, HasTheOwnPairOfItsKindOfProcess) {
  folder.own("broker", one);
  EXPECT_EQ(read().own.shared, own.shared);
}

TEST_F(KeyringTest, WithoutAnOwnPairThereIsNone) {
  EXPECT_THAT(refusal([&] { runtime::read_keyring(folder.path(), KeyOwner::stage); }),
              HasSubstr("stage.secret"));
}

TEST_F(KeyringTest, KnowsTheServersOfEachLink) {
  folder.trust("broker", {one.shared, two.shared});
  folder.trust("sink", {own.shared});
  const Keyring keyring = read();
  EXPECT_THAT(keyring.servers(LinkName::producers), ElementsAre(one.shared, two.shared));
  EXPECT_THAT(keyring.servers(LinkName::workers), ElementsAre(one.shared, two.shared));
  EXPECT_THAT(keyring.servers(LinkName::answers), ElementsAre(own.shared));
  EXPECT_THAT(keyring.servers(LinkName::collage), IsEmpty());
}

TEST_F(KeyringTest, KnowsAnOldAndANewKeyOfEachOfSixteenBrokers) {
  std::vector<runtime::PublicKey> keys;
  for (int i = 0; i < 32; ++i) keys.push_back(runtime::new_key_pair().shared);
  folder.trust("broker", keys);
  EXPECT_EQ(read().servers(LinkName::producers), keys);
  keys.push_back(one.shared);
  folder.trust("broker", keys);
  EXPECT_THAT(refusal([&] { read(); }), HasSubstr("at most 32"));
}

TEST_F(KeyringTest, NamesAllowedKeysByRoleAndFile) {
  folder.trust("allowed/stages/h1", {one.shared});
  folder.trust("allowed/producers/p1", {two.shared});
  const Keyring keyring = read();
  ASSERT_NE(keyring.named(one.shared.text()), nullptr);
  EXPECT_EQ(*keyring.named(one.shared.text()), (KeyName{Role::stage, "h1"}));
  EXPECT_EQ(to_string(*keyring.named(two.shared.text())), "producer p1");
  EXPECT_EQ(keyring.named(own.shared.text()), nullptr);
}

TEST_F(KeyringTest, AKeyUnderTwoNamesIsRefused) {
  folder.trust("allowed/stages/h1", {one.shared});
  folder.trust("allowed/stages/h2", {one.shared});
  EXPECT_THAT(refusal([&] { read(); }),
              AllOf(HasSubstr("h2.public"), HasSubstr("a key of stage h1")));
}

TEST_F(KeyringTest, FilesOfOtherNamesAreNotLookedAt) {
  folder.trust("allowed/stages/h1", {one.shared});
  std::ofstream(folder.path() / "allowed/stages/h1.public~") << "an editor's\n";
  EXPECT_EQ(read().allowed.size(), 1u);
}

TEST_F(KeyringTest, ACredentialTakesPrecedenceOverTheFolder) {
  runtime_test::KeyFolder credentials;
  credentials.own("sink", two);
  setenv("CREDENTIALS_DIRECTORY", credentials.path().c_str(), 1);
  const Keyring keyring = read();
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(keyring.own.shared, two.shared);
}

TEST_F(KeyringTest, RolesAreAdmittedByLink) {
  const auto admitted = [](LinkName link) {
    std::string text;
    for (const Role role : {Role::producer, Role::stage, Role::sink}) {
      if (admits(link, role)) text += to_string(KeyName{role, "x"}) + " ";
    }
    return text;
  };
  EXPECT_EQ(admitted(LinkName::producers), "producer x ");
  EXPECT_EQ(admitted(LinkName::workers), "stage x sink x ");
  EXPECT_EQ(admitted(LinkName::answers), "producer x stage x ");
  EXPECT_EQ(admitted(LinkName::collage), "stage x ");
}

TEST_F(KeyringTest, ARefreshReadsTheAllowedKeysAgain) {
  folder.trust("allowed/stages/h1", {one.shared});
  KeyStore store(folder.path(), KeyOwner::sink);
  folder.remove("allowed/stages/h1.public");
  folder.trust("allowed/stages/h2", {two.shared});
  EXPECT_EQ(store.refresh(), "");
  EXPECT_EQ(store.now()->named(one.shared.text()), nullptr);
  EXPECT_NE(store.now()->named(two.shared.text()), nullptr);
}

TEST_F(KeyringTest, AFailedRefreshChangesNothing) {
  folder.trust("allowed/stages/h1", {one.shared});
  KeyStore store(folder.path(), KeyOwner::sink);
  std::ofstream(folder.path() / "allowed/stages/h1.public") << "no key\n";
  EXPECT_THAT(refusal([&] { store.refresh(); }), HasSubstr("h1.public:1:1"));
  EXPECT_NE(store.now()->named(one.shared.text()), nullptr);
}

TEST_F(KeyringTest, ARefreshThatLeavesNoServerKeyFails) {
  folder.trust("broker", {one.shared});
  KeyStore store(folder.path(), KeyOwner::sink);
  folder.remove("broker.public");
  EXPECT_THAT(refusal([&] { store.refresh(); }), HasSubstr("broker.public: is gone"));
  EXPECT_THAT(store.now()->broker, ElementsAre(one.shared));
}

TEST_F(KeyringTest, AnOwnPairHoldsAsLongAsTheProcess) {
  KeyStore store(folder.path(), KeyOwner::sink);
  folder.own("sink", two);
  EXPECT_THAT(store.refresh(), HasSubstr("has changed"));
  EXPECT_EQ(store.now()->own.shared, own.shared);
  EXPECT_EQ(store.now()->own.secret.text(), own.secret.text());
}

TEST_F(KeyringTest, ARefreshDoesWithoutTheOwnPairWhileItIsReplaced) {
  KeyStore store(folder.path(), KeyOwner::sink);
  folder.remove("sink.secret");
  folder.trust("allowed/stages/h1", {one.shared});
  EXPECT_THAT(store.refresh(), HasSubstr("sink.secret"));
  EXPECT_NE(store.now()->named(one.shared.text()), nullptr);
  EXPECT_EQ(store.now()->own.shared, own.shared);
}

TEST_F(KeyringTest, ARequiredServerWithoutAKeyIsNamed) {
  const KeyStore store(folder.path(), KeyOwner::sink);
  EXPECT_THAT(refusal([&] { store.require_server(LinkName::workers); }),
              HasSubstr("broker.public: is missing"));
}

}  // namespace
