// A collage-CNN stage, fed any messages from its assembler (stage_game.h).

#include <chrono>
#include <optional>

#include "stages/collage/collage_worker.h"
#include "tests/fuzz/stage_game.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  using stages::collage::CollageWorker;
  fuzz::Input input(data, size);
  CollageWorker stage({{1, 1}, wire::Role::collage, {7, 2, "v1"}, fuzz::kCapacity}, {100ms, 1s},
                      std::nullopt, fuzz::kSinks);
  fuzz::StageGame<CollageWorker, wire::CollageTask, wire::CollageAnswer, wire::DropCollage>(stage,
                                                                                            input)
      .run();
  return 0;
}
