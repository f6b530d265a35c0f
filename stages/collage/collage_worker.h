// The collage-CNN stage: one picture of N tiles in, N answers out.
//
//   link kAssembler (DEALER)   to the assembler    WorkerHello, Ready
//                              from the assembler  Welcome, Refuse, CollageTask, DropCollage,
//                                                  Redirect
//   links kSink + i (DEALER)   to sink i           CollageAnswer
//
// It belongs to one assembler: over inproc:// in the same process, or over tcp:// in another.
// The inference is Work (machine::ClassifyCollage).  See task_stage.h for all the rest.
#pragma once

#include <cstdint>
#include <span>

#include "stages/task_stage.h"

namespace stages::collage {

struct CollageWorkerCounters : TaskCounters {
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;   // Inferences that gave nothing usable.
  std::uint64_t dropped = 0;  // Tasks not begun: the batch had been answered.
};

class CollageWorker : public TaskStage<wire::CollageTask, CollageWorkerCounters> {
 public:
  static constexpr std::uint32_t kAssembler = kCoordinator.link;
  static constexpr std::uint32_t kSink = kSinkLink;

  // hello.role is collage.
  using TaskStage::TaskStage;

 private:
  decltype(machine::Work::job) job(std::span<wire::CollageTask* const> tasks) override;
  Given answer(Finished& finished, wire::Duration age) override;
  bool on_other(const wire::Message& message) override;
  std::span<const machine::Figure<CollageWorkerCounters>> figures() const override;
};

}  // namespace stages::collage
