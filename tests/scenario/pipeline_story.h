// Transcripts of the whole pipeline: real broker, sink, stages and client, in virtual time.
//
//     pipeline policy=collage grid=2 classifiers=4 service=50ms patience=250ms deadline=1s
//     service c3 900ms          (or never)
//     submit 1=tench 2=otter 3=garbage      (or submit in-order ...: in a stream)
//     cancel 2 3
//     advance 250ms
//     kill c3 collage           start c3
//     count broker hedges       (or sink)
//
// With corrections=1 the client asks for corrections.  Nodes are broker, sink, c0.., assembler,
// collage and client.  The output is what the client's owner is handed, and what the machines note;
// joining at the start goes without saying.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/scenario/transcript.h"
#include "tests/scenario/world.h"

namespace scenario {

class PipelineStory : public Story {
 public:
  std::string run(const Command& command) override;

 private:
  void make(const Command& command);
  void add_broker(const Command& command);
  void add_sink(const Command& command);
  void add_stages(const Command& command);
  void add_client(const Command& command);
  void submit(const Command& command);
  void cancel(const Command& command);
  std::string count(const Command& command);
  std::string advance(wire::Duration by);
  void take_results();

  std::unique_ptr<World> world_;
  std::vector<std::string> nodes_;
  std::string out_;
};

}  // namespace scenario
