// Tests with real processes; libvips, which makes their images, starts once in main.
#include <gmock/gmock.h>

#include "imaging/library.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const imaging::Library library;
  return RUN_ALL_TESTS();
}
