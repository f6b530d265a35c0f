// Transcripts of the paper's decode: from the boxes of a detector to one answer a slot.
//
//     grid side=3 tile=30x70
//     box at=10,10 size=30x90 label=4 score=0.9
//     decode
//
// `box` says how much of each cell it shares (Jaccard indices, as fractions) and whose it is;
// `decode` prints the answers of the boxes so far, slot by slot, and starts over.
#pragma once

#include <vector>

#include "imaging/layout.h"
#include "models/serving/heads/decode.h"
#include "tests/scenario/transcript.h"

namespace scenario {

class DecodeStory : public Story {
 public:
  std::string run(const Command& command) override;

 private:
  std::string box(const Command& command);
  std::string decode();

  imaging::Grid grid_;
  std::vector<models::Box> boxes_;
};

}  // namespace scenario
