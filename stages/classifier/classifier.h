// A single-image CNN stage (s-CNN): one image in, one answer out.
//
//   link kBroker (DEALER)   to the broker    WorkerHello, Ready
//                           from the broker  Welcome, Refuse, Assign, Withdraw, Redirect
//   links kSink + i (DEALER) to sink i       Answer
//
// Stateless but for the tasks it holds: any number may run, join and leave at any time.  The
// inference itself is Work (machine::Classify).  See task_stage.h for all the rest.
#pragma once

#include <cstdint>
#include <span>

#include "stages/task_stage.h"

namespace stages::classifier {

inline constexpr std::uint32_t kBroker = kCoordinator.link;
inline constexpr std::uint32_t kSink = kSinkLink;

struct Counters : TaskCounters {
  std::uint64_t answered = 0;
  std::uint64_t withdrawn = 0;  // Tasks dropped: the broker had another answer.
  std::uint64_t rejected = 0;   // Images that could not be classified, answered with the reason.
  std::uint64_t failed = 0;     // Tasks that gave nothing, by no fault of the image; not answered.
};

class Classifier : public TaskStage<wire::Assign, Counters> {
 public:
  // hello.role is classifier; hello.capacity bounds the tasks held, by granting no more credit.
  using TaskStage::TaskStage;

 private:
  decltype(machine::Work::job) job(std::span<wire::Assign* const> tasks) override;
  Given answer(Finished& finished, wire::Duration age) override;
  void on_new_coordinator() override;
  bool on_other(const wire::Message& message) override;
  std::span<const machine::Figure<Counters>> figures() const override;
};

}  // namespace stages::classifier
