// Transcripts of the sink alone: what the broker and the stages tell it, and what it settles.
//
//     sink patience=250ms gate=0.5 open_batch_max=4 orphan_max=4
//     opened batch=1 slots=4            sealed batch=1 ages=0ms,0ms,0ms,0ms     closed batch=1
//     single batch=1 slots=0,1 labels=tench,otter    (or hedge)
//     reject batch=1 slots=2
//     collage batch=1 labels=tench,otter,-,crane probability=0.8
//     welcome epoch=2                   advance 250ms       count late_single
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stages/sink/sink.h"
#include "tests/scenario/transcript.h"

namespace scenario {

class SinkStory : public Story {
 public:
  std::string run(const Command& command) override;

 private:
  void make(const Command& command);
  std::string advance(wire::Duration by);
  std::string answer(const Command& command);
  std::string collage(const Command& command);
  std::string count(const Command& command) const;
  std::string tell(std::uint32_t link, wire::Message message);
  std::string said(const machine::Actions& actions);
  wire::BatchId batch(const Command& command) const;
  wire::ClassId label(const std::string& name);

  std::unique_ptr<stages::sink::Sink> sink_;
  wire::Epoch epoch_{1};
  wire::Instant now_;
  std::vector<std::string> names_;  // A label is a name's place here.
};

}  // namespace scenario
