#include "runtime/security/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "runtime/config/config_error.h"
#include "tests/runtime/security/key_folder.h"

namespace {

using runtime::KeyPair;
using runtime::PublicKey;
using runtime::SecretPlace;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The keys that the manual page of zmq_curve prints.
constexpr const char* kPrintedPublic = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
constexpr const char* kPrintedSecret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

class KeyFile : public testing::Test {
 protected:
  // Writes a secret file with this text and mode.
  std::filesystem::path secret(const std::string& text, mode_t mode = 0600) {
    const std::filesystem::path file = keys.path() / "own.secret";
    std::ofstream(file) << text;
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return file;
  }
  std::filesystem::path shared(const std::string& text) {
    const std::filesystem::path file = keys.path() / "own.public";
    std::ofstream(file) << text;
    return file;
  }
  static std::string refusal(const std::function<void()>& read) {
    try {
      read();
    } catch (const runtime::ConfigError& error) {
      return error.what();
    }
    return "accepted";
  }
  std::string refused_secret(const std::filesystem::path& file) {
    return refusal([&] { runtime::read_key_pair(file); });
  }
  std::string refused_public(const std::filesystem::path& file) {
    return refusal([&] { runtime::read_public_keys(file, 2); });
  }
  static std::string text_of(const KeyPair& pair) {
    return "public " + pair.shared.text() + "\nsecret " + std::string(pair.secret.text()) + "\n";
  }
  static mode_t mode_of(const std::filesystem::path& file) {
    struct stat found {};
    EXPECT_EQ(stat(file.c_str(), &found), 0);
    return found.st_mode & 07777;
  }

  runtime_test::KeyFolder keys;
};

TEST_F(KeyFile, AWrittenPairIsReadBackAndNobodyElses) {
  const KeyPair pair = runtime::new_key_pair();
  const std::filesystem::path file = keys.path() / "broker.secret";
  runtime::write_key_pair(file, pair);
  EXPECT_EQ(mode_of(file), 0400u);
  const KeyPair read = runtime::read_key_pair(file);
  EXPECT_EQ(read.shared, pair.shared);
  EXPECT_EQ(read.secret.text(), pair.secret.text());
}

TEST_F(KeyFile, AWrittenPublicKeyIsReadBackByEverybody) {
  const KeyPair pair = runtime::new_key_pair();
  const std::filesystem::path file = keys.path() / "broker.public";
  runtime::write_public_key(file, pair.shared);
  EXPECT_EQ(mode_of(file), 0444u);
  EXPECT_THAT(runtime::read_public_keys(file, 2), ElementsAre(pair.shared));
}

TEST_F(KeyFile, IsNeverOverwritten) {
  const KeyPair pair = runtime::new_key_pair();
  const std::filesystem::path file = keys.path() / "broker.secret";
  runtime::write_key_pair(file, pair);
  EXPECT_THAT(refusal([&] { runtime::write_key_pair(file, runtime::new_key_pair()); }),
              HasSubstr("never overwritten"));
  EXPECT_EQ(runtime::read_key_pair(file).shared, pair.shared);
}

TEST_F(KeyFile, LeavesNoDraftBehind) {
  runtime::write_key_pair(keys.path() / "broker.secret", runtime::new_key_pair());
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(keys.path())) {
    files += entry.is_regular_file();
  }
  EXPECT_EQ(files, 1u);
}

TEST_F(KeyFile, ASecretThatOthersMayReadIsRefused) {
  const std::string text = text_of(runtime::new_key_pair());
  for (const mode_t mode : {0640, 0604, 0620, 0602}) {
    EXPECT_THAT(refused_secret(secret(text, mode)), HasSubstr("may be used by others")) << mode;
  }
}

TEST_F(KeyFile, ACredentialMayShowTheModeThatSystemdGivesIt) {
  const KeyPair pair = runtime::new_key_pair();
  const auto file = secret(text_of(pair), 0440);
  EXPECT_EQ(runtime::read_key_pair(file, SecretPlace::credential).shared, pair.shared);
}

TEST_F(KeyFile, AMissingOneIsNamed) {
  EXPECT_THAT(refused_secret(keys.path() / "none.secret"),
              AllOf(HasSubstr("none.secret"), HasSubstr("No such file")));
}

TEST_F(KeyFile, AFolderIsNoFileOfKeys) {
  EXPECT_THAT(refused_public(keys.path()), HasSubstr("is not a regular file"));
}

TEST_F(KeyFile, ASecretOfBadTextIsRefusedByLineAndNeverShown) {
  const KeyPair pair = runtime::new_key_pair();
  const std::string bad = "public " + pair.shared.text() + "\nsecret 0123456789~\n";
  EXPECT_THAT(refused_secret(secret(bad)),
              AllOf(HasSubstr("own.secret:2:1"), Not(HasSubstr("0123456789"))));
}

TEST_F(KeyFile, HalfAPairIsNone) {
  const KeyPair pair = runtime::new_key_pair();
  EXPECT_THAT(refused_secret(secret("public " + pair.shared.text() + "\n")),
              HasSubstr("has no pair"));
}

TEST_F(KeyFile, HalvesOfTwoPairsAreNoPair) {
  const KeyPair one = runtime::new_key_pair(), two = runtime::new_key_pair();
  EXPECT_THAT(refused_secret(secret("public " + one.shared.text() + "\nsecret " +
                                    std::string(two.secret.text()) + "\n")),
              HasSubstr("does not belong to its secret key"));
}

TEST_F(KeyFile, ThePairThatTheManualPrintsIsRefused) {
  EXPECT_THAT(refused_secret(secret(std::string("public ") + kPrintedPublic + "\nsecret " +
                                    kPrintedSecret + "\n")),
              HasSubstr("own.secret:1:1"));
  EXPECT_FALSE(PublicKey::parse(kPrintedPublic));
}

TEST_F(KeyFile, MayHaveCommentsEmptyLinesAndTwoKeys) {
  const KeyPair one = runtime::new_key_pair(), two = runtime::new_key_pair();
  const auto file =
      shared("# The old one.\n" + one.shared.text() + "\r\n\n#\n" + two.shared.text());
  EXPECT_THAT(runtime::read_public_keys(file, 2), ElementsAre(one.shared, two.shared));
}

TEST_F(KeyFile, AThirdKeyIsOneTooMany) {
  std::string text;
  for (int i = 0; i < 3; ++i) text += runtime::new_key_pair().shared.text() + "\n";
  EXPECT_THAT(refused_public(shared(text)), AllOf(HasSubstr(":3:1"), HasSubstr("at most 2")));
}

TEST_F(KeyFile, AKeyTwiceIsAMistake) {
  const std::string key = runtime::new_key_pair().shared.text();
  EXPECT_THAT(refused_public(shared(key + "\n" + key + "\n")), HasSubstr(":2:1: is given twice"));
}

TEST_F(KeyFile, APublicFileWithoutAKeyIsRefused) {
  EXPECT_THAT(refused_public(shared("# Nobody yet.\n")), HasSubstr("has no key"));
}

TEST_F(KeyFile, TextThatIsNoKeyIsRefusedByLine) {
  EXPECT_THAT(refused_public(shared("not a key\n")), HasSubstr("own.public:1:1"));
}

TEST_F(KeyFile, OneThatIsTooLongIsRefused) {
  EXPECT_THAT(refused_public(shared(std::string(5000, '\n'))), HasSubstr("too long"));
}

TEST(SecretKey, IsWipedWhereItWasMovedFrom) {
  KeyPair pair = runtime::new_key_pair();
  const std::string text(pair.secret.text());
  const runtime::SecretKey moved = std::move(pair.secret);
  EXPECT_EQ(moved.text(), text);
  EXPECT_EQ(pair.secret.text(), std::string(runtime::kKeyTextBytes, '\0'));
}

TEST(PublicKey, OfAnotherLengthOrAlphabetIsNone) {
  EXPECT_FALSE(PublicKey::parse(""));
  EXPECT_FALSE(PublicKey::parse(std::string(39, '0')));
  EXPECT_FALSE(PublicKey::parse(std::string(41, '0')));
  EXPECT_FALSE(PublicKey::parse(std::string(40, '~')));
  EXPECT_TRUE(PublicKey::parse(std::string(40, '0')));
}

}  // namespace
