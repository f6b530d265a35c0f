#include <gmock/gmock.h>

#include "imaging/library.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  imaging::FormatSet all{};
  for (const auto& [key, format] : imaging::servable_formats()) all.insert(format);
  const imaging::Library library(all);
  return RUN_ALL_TESTS();
}
