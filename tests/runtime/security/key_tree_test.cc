#include "runtime/security/key_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "runtime/config/config_error.h"
#include "runtime/security/keyring.h"
#include "tests/runtime/security/key_folder.h"

namespace {

using runtime::KeyHosts;
using runtime::KeyOwner;
using runtime::KeyStore;
using runtime::LinkName;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class KeyTree : public testing::Test {
 protected:
  std::set<std::string> files(const std::string& host) const {
    std::set<std::string> names;
    const auto folder = keys.path() / host;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) {
        names.insert(std::filesystem::relative(entry.path(), folder).string());
      }
    }
    return names;
  }
  KeyStore of(const std::string& host, KeyOwner owner) const {
    return KeyStore(keys.path() / host, owner);
  }
  std::string refusal(const KeyHosts& wrong) const {
    try {
      runtime::make_key_tree(keys.path(), wrong);
    } catch (const runtime::ConfigError& error) {
      return error.what();
    }
    return "made";
  }

  runtime_test::KeyFolder keys;
  const KeyHosts hosts{"b1", {"s1"}, {"h1", "h2"}, {"p1"}, ""};
};

TEST_F(KeyTree, EachHostGetsItsOwnSecretAndNoOther) {
  EXPECT_GT(runtime::make_key_tree(keys.path(), hosts), 0u);
  EXPECT_THAT(files("b1"),
              ElementsAre("allowed/producers/p1.public", "allowed/sinks/s1.public",
                          "allowed/stages/h1.public", "allowed/stages/h2.public", "broker.secret"));
  EXPECT_THAT(files("s1"), ElementsAre("allowed/producers/p1.public", "allowed/stages/h1.public",
                                       "allowed/stages/h2.public", "broker.public", "sink.secret"));
  EXPECT_THAT(files("h1"), ElementsAre("broker.public", "sink.public", "stage.secret"));
  EXPECT_THAT(files("p1"), ElementsAre("broker.public", "producer.secret", "sink.public"));
}

TEST_F(KeyTree, ThePartiesKnowEachOther) {
  runtime::make_key_tree(keys.path(), hosts);
  const auto broker = of("b1", KeyOwner::broker).now();
  const auto stage = of("h2", KeyOwner::stage).now();
  EXPECT_THAT(stage->servers(LinkName::workers), ElementsAre(broker->own.shared));
  ASSERT_NE(broker->named(stage->own.shared.text()), nullptr);
  EXPECT_EQ(to_string(*broker->named(stage->own.shared.text())), "stage h2");
}

TEST_F(KeyTree, AHostMayBeEverything) {
  runtime::make_key_tree(keys.path(), {"here", {"here"}, {"here"}, {"here"}, ""});
  EXPECT_THAT(runtime::describe_keys(keys.path() / "here"),
              AllOf(HasSubstr("broker has "), HasSubstr("sink has "), HasSubstr("stage has "),
                    HasSubstr("producer has ")));
}

TEST_F(KeyTree, ACollageLinkOverTcpHasTheAssemblersKey) {
  runtime::make_key_tree(keys.path(), {"b1", {"s1"}, {"h1", "h2"}, {}, "h1"});
  const auto assembler = of("h1", KeyOwner::stage).now();
  const auto node = of("h2", KeyOwner::stage).now();
  EXPECT_THAT(node->servers(LinkName::collage), ElementsAre(assembler->own.shared));
  EXPECT_NE(assembler->named(node->own.shared.text()), nullptr);
}

TEST_F(KeyTree, AllSinksHaveOnePair) {
  runtime::make_key_tree(keys.path(), hosts);
  const auto before = of("s1", KeyOwner::sink).now()->own.shared;
  const KeyHosts more{"b1", {"s1", "s2"}, {"h1", "h2"}, {"p1"}, ""};
  EXPECT_EQ(runtime::make_key_tree(keys.path(), more), 5u);  // All in the new sink's folder.
  EXPECT_EQ(files("s2"), files("s1"));
  EXPECT_EQ(of("s1", KeyOwner::sink).now()->own.shared, before);
  EXPECT_EQ(of("s2", KeyOwner::sink).now()->own.shared, before);
  EXPECT_EQ(runtime::make_key_tree(keys.path(), more), 0u);
}

TEST_F(KeyTree, TheOrderOfSinksDoesNotMatter) {
  runtime::make_key_tree(keys.path(), {"b1", {"s2"}, {"h1"}, {}, ""});
  const auto pair = of("s2", KeyOwner::sink).now()->own.shared;
  runtime::make_key_tree(keys.path(), {"b1", {"s1", "s2"}, {"h1"}, {}, ""});
  EXPECT_EQ(of("s1", KeyOwner::sink).now()->own.shared, pair);
  runtime::make_key_tree(keys.path(), {"b1", {"s1"}, {"h1"}, {}, ""});  // s2 has gone.
  EXPECT_THAT(files("b1"),
              ElementsAre("allowed/sinks/s2.public", "allowed/stages/h1.public", "broker.secret"));
  EXPECT_NE(of("b1", KeyOwner::broker).now()->named(pair.text()), nullptr);
}

TEST_F(KeyTree, ASinkWithAPairOfItsOwnIsRefused) {
  runtime::make_key_tree(keys.path(), {"b1", {"s2"}, {"h1"}, {}, ""});
  runtime::make_key_tree(keys.path(), {"b2", {"s1"}, {"h2"}, {}, ""});
  const auto before = files("b2");
  EXPECT_THAT(refusal({"b2", {"s1", "s2"}, {"h2", "h3"}, {}, ""}),
              HasSubstr("sink.secret: is another pair than that of s1"));
  EXPECT_EQ(files("b2"), before);
}

TEST_F(KeyTree, AHostThatIsAddedChangesNoOthersPair) {
  runtime::make_key_tree(keys.path(), hosts);
  const auto before = of("h1", KeyOwner::stage).now();
  KeyHosts more = hosts;
  more.stages.push_back("h3");
  EXPECT_EQ(runtime::make_key_tree(keys.path(), more),
            5u);  // The new host's three files, and its key at the broker and at the sink.
  EXPECT_EQ(of("h1", KeyOwner::stage).now()->own.shared, before->own.shared);
  EXPECT_EQ(runtime::make_key_tree(keys.path(), more), 0u);
}

TEST_F(KeyTree, AFileThatIsThereWithoutTheKeyIsNotChanged) {
  runtime::make_key_tree(keys.path(), hosts);
  std::filesystem::remove(keys.path() / "b1/broker.secret");
  EXPECT_THAT(refusal(hosts), HasSubstr("broker.public: exists without the key"));
}

TEST_F(KeyTree, ANameThatIsNoNameIsRefused) {
  EXPECT_THAT(refusal({"../b1", {"s1"}, {"h1"}, {}, ""}), HasSubstr("is not a host name"));
  EXPECT_THAT(refusal({"b1", {"s1"}, {".h1"}, {}, ""}), HasSubstr("is not a host name"));
  EXPECT_THAT(refusal({"b1", {"s1"}, {"h1"}, {}, "h2"}), HasSubstr("is not one of the stages"));
}

TEST_F(KeyTree, AFolderThatAProcessCannotStartWithIsRefused) {
  runtime::make_key_tree(keys.path(), hosts);
  std::filesystem::remove(keys.path() / "h1/sink.public");
  EXPECT_THROW(runtime::describe_keys(keys.path() / "h1"), runtime::ConfigError);
  EXPECT_THROW(runtime::describe_keys(keys.path()), runtime::ConfigError);
}

}  // namespace
