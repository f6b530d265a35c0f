// That client.h needs no other header, and that nothing in it warns.
#include <collage/client.h>

collage::Options all_options() {
  return {.endpoints = {"tcp://127.0.0.1:5570"}, .corrections = true};
}
