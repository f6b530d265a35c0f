#include "tests/wire/samples.h"

namespace wire_test {

using namespace std::chrono_literals;
using namespace wire;

std::vector<Message> samples() {
  const BatchId batch{{0xe0c4}, {17}};
  const WorkerId worker{0xa1, 0xb2};
  const Predictions dog_or_cat{{{5}, 0.75f}, {{3}, 0.125f}};
  const Payload image(Payload::Bytes{0xff, 0xd8, 0xff, 0xd9});
  const Payload picture(Payload::Bytes{0x00, 0x7f, 0xff});
  return {
      ProducerHello{{0xc3, 0xd4}, true},
      WorkerHello{worker,
                  Role::collage,
                  {0x1234, 3, "collage-3"},
                  4,
                  {"a2", "collage-stage@0", 7, 4321},
                  1},
      Welcome{{0xe0c4}, 1s, 64, 1000000, 10s, 2s},
      Refuse{Reason::wrong_protocol, kProtocol},
      Submit{{42}, 2s, image, Priority::high, 3},
      Result{{42},
             ResultStatus::answered,
             Source::collage,
             Reason::none,
             90ms,
             20ms,
             {{"dog", {{5}, 0.75f}}, {"cat", {{3}, 0.125f}}},
             "collage-3",
             true},
      Ready{{17}, {{15}, {16}}, true},
      Assign{{17}, batch, 8, true, 3ms, 2s, image, 1},
      SealCollage{batch, 7},
      DropCollage{batch},
      CollageTask{{0xa55e}, {9}, batch, {false, false, true, true}, 4ms, 2s, picture, 1},
      Answer{batch, 8, worker, true, 50ms, 2ms, {dog_or_cat, Reason::none}, "single-7", 40ms},
      CollageAnswer{batch, worker, 60ms, 12ms, {dog_or_cat, {}}, "collage-3", 15ms},
      BatchOpened{batch, 9, 5ms, true},
      BatchSealed{batch, {5ms, 4ms}, true},
      BatchSettled{batch},
      SlotSettled{batch, 8, Source::single, {{}, Reason::truncated_image}, "single-7"},
      ServiceTimes{30ms, 45ms, 80ms, 60ms},
      StatusRequest{},
      Status{{{"received", 1000}, {"late", 3}}},
      Cancel{{42}},
      Correction{{42}, Source::single, 400ms, {{"cat", {{3}, 0.75f}}}, "single-7"},
      Disagreement{batch, 8, Source::single, dog_or_cat, "single-7"},
      Withdraw{{17}},
      WorkerStates{2,
                   3,
                   {{worker,
                     Role::assembler,
                     {0x1234, 3, "collage-3"},
                     {"a2", "collage-stage@0", 7, 4321},
                     WorkerState::probation,
                     LossCause::connection,
                     30s,
                     1s,
                     2,
                     5,
                     600ms,
                     400ms,
                     150ms,
                     700ms}}},
      CollagePicture{batch, 96, 95, 3, picture},
      Redirect{0, 1, batch},
  };
}

}  // namespace wire_test
