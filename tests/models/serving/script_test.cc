#include "models/serving/script.h"

#include <gmock/gmock.h>

#include <fstream>

#include "models/research/nets/export_script.h"
#include "models/serving/sha256.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
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

TEST_F(LoadScript, WithAHashAMissingFileOrAFolderIsStillSaidToBeOne) {
  EXPECT_THAT([&] { load_script(file_, "0123"); }, refused("no such file"));
  std::filesystem::create_directory(file_);
  EXPECT_THAT([&] { load_script(file_, "0123"); }, refused("is a folder"));
}

TEST_F(LoadScript, AFileThatIsNoScriptIsNamed) {
  std::ofstream(file_) << "not a network";
  EXPECT_THAT([&] { load_script(file_); }, refused("cannot be loaded ("));
}

TEST_F(LoadScript, AFileOfAnotherKindIsSaidToBeOne) {
  const auto write = [&](std::string_view bytes) {
    std::ofstream(file_, std::ios::binary) << bytes;
  };
  const auto expect = [&](const std::string& what) {
    EXPECT_THAT([&] { load_script(file_); }, refused(what));
  };
  write("");
  expect("is empty");
  write("\x89HDF\r\n");
  expect("is an HDF5 file");
  write(std::string_view("\x40\0\0\0\0\0\0\0{\"conv.weight\":{}}", 26));
  expect("is a safetensors file, weights without a network");
  write("PK\x03\x04 archive/data.pkl ccollections\nOrderedDict");
  expect("has weights without a network (a state_dict); load it into its model and export it");
  write("PK\x03\x04 archive/data.pkl ctorch.nn.modules.conv\nConv2d");
  expect("is a pickled module, which only Python can read");
  write("PK\x03\x04 net/constants.pkl");
  expect("cannot be loaded (damaged, of a newer PyTorch, or with operators that LibTorch lacks): ");
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  expect("is a folder");
}

TEST_F(LoadScript, WeightsOfOtherPrecisionsAreServedAsFloatAndSaid) {
  for (const auto type : {torch::kDouble, torch::kBFloat16}) {
    torch::jit::Module module("Net");
    module.register_parameter("w", torch::ones({3}, type), false);
    module.define("def forward(self, x):\n    return x * self.w\n");
    module.save(file_);
    const LoadedScript loaded = load_script(file_);
    EXPECT_EQ((*loaded.module.parameters().begin()).scalar_type(), torch::kFloat);
    EXPECT_THAT(loaded.remarks,
                ElementsAre(AllOf(HasSubstr(c10::toString(type)), HasSubstr("served as Float"))));
  }
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
