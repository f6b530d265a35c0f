#include "models/serving/script.h"

#include <gmock/gmock.h>

#include <fstream>

#include "models/research/nets/export_script.h"
#include "models/serving/sha256.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class LoadScript : public ::testing::Test {
 protected:
  ~LoadScript() override { std::filesystem::remove(file_); }

  auto refused(const std::string& what) {
    return ThrowsMessage<std::runtime_error>(HasSubstr(file_.string() + ": " + what));
  }

  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".pt");
};

TEST_F(LoadScript, AMissingFileIsNamed) {
  EXPECT_THAT([&] { load_script(file_); }, refused("no such file"));
}

TEST_F(LoadScript, AFileThatIsNoScriptIsNamed) {
  std::ofstream(file_) << "not a network";
  EXPECT_THAT([&] { load_script(file_); }, refused("is not a TorchScript file"));
}

TEST_F(LoadScript, AFileOfAnotherHashIsRefusedAndOneOfItsOwnIsNot) {
  GridNet net(toy_architecture(1), 1);
  export_script(net, file_);
  const std::string hash = sha256_of(file_);
  EXPECT_NO_THROW(load_script(file_, hash));
  EXPECT_THAT([&] { load_script(file_, std::string(64, '0')); },
              refused("sha256 is " + hash + ", the manifest requires 0000"));
}

}  // namespace
}  // namespace models
