#include "runtime/service/reload.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/pipeline/pipeline.h"
#include "tests/runtime/security/key_folder.h"

namespace {

using runtime::ServiceConfig;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::filesystem::path kPipelineFile =
    std::filesystem::path(COLLAGE_SOURCE_DIR) / "pipeline.yaml";

std::string shipped_with(const std::string& old, const std::string& fresh) {
  std::ifstream in(kPipelineFile);
  std::stringstream text;
  text << in.rdbuf();
  std::string all = text.str();
  const std::size_t at = all.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return all.replace(at, old.size(), fresh);
}

ServiceConfig parsed(const std::string& text) {
  return runtime::parse_pipeline(text, kPipelineFile).service;
}

ServiceConfig load(const std::filesystem::path& file) {
  return runtime::load_pipeline(file).service;
}

TEST(Changes, AreNamedByWhenTheyTakeEffect) {
  const ServiceConfig running = load(kPipelineFile);
  const auto logs = changes_between(running, parsed(shipped_with("level: info", "level: debug")));
  EXPECT_THAT(logs.at_once, ElementsAre("log.level"));
  EXPECT_THAT(logs.after_restart, IsEmpty());
  const auto deadline =
      changes_between(running, parsed(shipped_with("deadline: 5s", "deadline: 6s")));
  EXPECT_THAT(deadline.at_once, IsEmpty());
  EXPECT_THAT(deadline.after_restart, ElementsAre("broker.deadline"));
}

TEST(Changes, KeysThatTheProcessPutsIntoEffectItselfAreListedApart) {
  const ServiceConfig running = load(kPipelineFile);
  const auto fresh =
      parsed(shipped_with("models/fashion_single.yaml", "models/cifar10_single.yaml"));
  EXPECT_THAT(changes_between(running, fresh, {"models.single"}).renewing,
              ElementsAre("models.single"));
  EXPECT_THAT(changes_between(running, fresh).after_restart, ElementsAre("models.single"));
}

TEST(Changes, AValueWrittenOtherwiseIsNone) {
  const ServiceConfig running = load(kPipelineFile);
  const auto same =
      changes_between(running, parsed(shipped_with("deadline: 5s", "deadline: 5000ms")));
  EXPECT_THAT(same.after_restart, IsEmpty());
}

TEST(Changes, ASectionThatIsGoneIsOne) {
  const std::string emulated =
      shipped_with("log:\n", "emulation:\n  source: pareto\n  shape: 1.5\n  scale: 100ms\nlog:\n");
  const auto changes = changes_between(parsed(emulated), load(kPipelineFile));
  EXPECT_THAT(changes.after_restart, testing::Contains("emulation.seed"));
}

class ReloadTest : public testing::Test {
 protected:
  ReloadTest() {
    std::filesystem::create_directories(folder_);
    std::filesystem::copy(
        kPipelineFile.parent_path() / "models", folder_ / "models",
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::skip_existing);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
  }
  ~ReloadTest() override {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
    std::filesystem::remove_all(folder_);
  }
  std::function<ServiceConfig()> reader() const {
    return [file = file_] { return load(file); };
  }
  void write(const std::string& text) { std::ofstream(file_) << text; }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("collage_reload_" + std::to_string(getpid()));
  std::filesystem::path file_ = folder_ / "pipeline.yaml";
  std::ostringstream log_;
};

TEST_F(ReloadTest, PutsTheLevelIntoEffectAndNamesWhatNeedsARestart) {
  write(shipped_with("level: info", "level: info"));
  ServiceConfig running = load(file_);
  std::string text = shipped_with("level: info", "level: warning");
  text.replace(text.find("deadline: 5s"), 12, "deadline: 6s");
  write(text);
  runtime::reload(running, reader());
  EXPECT_EQ(spdlog::default_logger()->level(), spdlog::level::warn);
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("takes effect after a restart: broker.deadline"),
                                HasSubstr("in effect: log.level")));
  // A key that waits for a restart is logged again; a key that is in effect is not.
  log_.str("");
  spdlog::set_level(spdlog::level::info);
  running.log_level = spdlog::level::info;  // The level that would log everything.
  runtime::reload(running, reader());
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("broker.deadline"), Not(HasSubstr("log.level"))));
}

TEST_F(ReloadTest, StepsOfRequestsAreLoggedFromThenOn) {
  write(shipped_with("requests: false", "requests: false"));
  ServiceConfig running = load(file_);
  EXPECT_FALSE(running.log_requests);
  write(shipped_with("requests: false", "requests: true"));
  runtime::reload(running, reader());
  EXPECT_TRUE(running.log_requests);
}

TEST_F(ReloadTest, AFileThatIsNotValidChangesNothing) {
  write(shipped_with("level: info", "level: info"));
  ServiceConfig running = load(file_);
  spdlog::set_level(spdlog::level::info);
  write(shipped_with("level: info", "level: loud"));
  runtime::reload(running, reader());
  EXPECT_EQ(spdlog::default_logger()->level(), spdlog::level::info);
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("log.level"), HasSubstr("(nothing has changed)")));
}

TEST_F(ReloadTest, ReadsTheKeysAgainAndLogsWhatNeedsARestart) {
  write(shipped_with("level: info", "level: info"));
  ServiceConfig running = load(file_);
  const runtime_test::KeyFolder folder;
  folder.own("broker", runtime::new_key_pair());
  runtime::KeyStore keys(folder.path(), runtime::KeyOwner::broker);
  folder.own("broker", runtime::new_key_pair());
  const runtime::KeyPair stage = runtime::new_key_pair();
  folder.trust("allowed/stages/h1", {stage.shared});
  runtime::reload(running, reader(), {}, &keys);
  EXPECT_NE(keys.now()->named(stage.shared.text()), nullptr);
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("keys read again, 1 of peers"),
                                HasSubstr("our own key has changed (takes effect after")));
}

TEST_F(ReloadTest, KeysThatCannotBeReadChangeNothing) {
  write(shipped_with("level: info", "level: info"));
  ServiceConfig running = load(file_);
  const runtime_test::KeyFolder folder;
  folder.own("broker", runtime::new_key_pair());
  runtime::KeyStore keys(folder.path(), runtime::KeyOwner::broker);
  std::filesystem::create_directories(folder.path() / "allowed/stages");
  std::ofstream(folder.path() / "allowed/stages/h1.public") << "no key\n";
  runtime::reload(running, reader(), {}, &keys);
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("h1.public:1:1"), HasSubstr("(no key has changed)")));
}

// Secrets never reach the log, whatever is wrong with their files.
TEST_F(ReloadTest, ASecretIsNeverLogged) {
  write(shipped_with("level: info", "level: debug"));
  ServiceConfig running = load(file_);
  const runtime_test::KeyFolder folder;
  const runtime::KeyPair pair = runtime::new_key_pair(), other = runtime::new_key_pair();
  folder.own("broker", pair);
  runtime::KeyStore keys(folder.path(), runtime::KeyOwner::broker);
  folder.remove("broker.secret");
  std::ofstream(folder.path() / "broker.secret")
      << "public " << other.shared.text() << "\nsecret " << pair.secret.text() << "\nand more\n";
  std::filesystem::permissions(folder.path() / "broker.secret", std::filesystem::perms::owner_read);
  runtime::reload(running, reader(), {}, &keys);
  EXPECT_THAT(log_.str(), AllOf(HasSubstr("broker.secret:3:1"),
                                Not(HasSubstr(std::string(pair.secret.text())))));
}

}  // namespace
