// The sink's joiner, with 10,000 batches open: answers of s-CNNs, each for another batch than the
// one before, as they come from many stages.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "stages/sink/joiner.h"
#include "tests/bench/benchmarks.h"
#include "tests/values.h"

namespace {

using stages::sink::Joiner;

constexpr std::uint64_t kBatches = 10'000;
constexpr wire::Slot kSlots = 9;

wire::Answer answer_for(std::uint64_t batch, wire::Slot slot) {
  wire::Answer answer;
  answer.batch = ::batch(batch);
  answer.slot = slot;
  answer.worker = {1, slot};
  answer.verdict.predictions = {{{3}, 0.9f}, {{4}, 0.05f}, {{5}, 0.03f}};
  answer.version = "fashion_single-1";
  answer.service = std::chrono::milliseconds(40);
  return answer;
}

// One iteration: every slot of every batch is answered once.
void join(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto joiner =
        std::make_unique<Joiner>(Joiner::Policy{.open_batch_max = kBatches, .classes = 10});
    joiner->on_epoch(kEpoch, std::chrono::seconds(10));
    joiner->set_patience(std::chrono::milliseconds(250));
    for (std::uint64_t b = 0; b < kBatches; ++b) {
      (void)joiner->on_opened({::batch(b), kSlots, {}, true}, at({}));
    }
    std::vector<wire::Answer> answers;
    for (wire::Slot slot = 0; slot < kSlots; ++slot) {
      for (std::uint64_t b = 0; b < kBatches; ++b) {
        answers.push_back(answer_for(b * 7919 % kBatches, slot));
      }
    }
    state.ResumeTiming();
    std::size_t settled = 0;
    for (wire::Answer& answer : answers) {
      settled += joiner->on_single(std::move(answer)).settled.size();
    }
    if (settled != kBatches * kSlots) throw std::runtime_error("the joiner has left answers out");
    state.PauseTiming();
    answers.clear();
    joiner.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatches * kSlots));
}

}  // namespace

namespace bench {

void add_joiner() { benchmark::RegisterBenchmark("joiner/ours", join); }

}  // namespace bench
