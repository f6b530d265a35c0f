#include "models/serving/class_names.h"

#include <gmock/gmock.h>

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

const std::filesystem::path kModels = std::filesystem::path(COLLAGE_SOURCE_DIR) / "models";

TEST(ClassNames, AreThoseOfTheManifestInItsOrder) {
  const std::vector<std::string> names = load_class_names(kModels / "fashion_single.yaml");
  ASSERT_THAT(names, SizeIs(10));
  EXPECT_EQ(names.front(), "T-shirt/top");
  EXPECT_EQ(names.back(), "Ankle boot");
}

TEST(ClassNames, OfAManifestThatIsMissingAreRefusedByItsName) {
  EXPECT_THAT([] { load_class_names(kModels / "nobody.yaml"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("nobody.yaml")));
}

}  // namespace
}  // namespace models
