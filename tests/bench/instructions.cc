// Pieces of work of a fixed size, whose instructions instructions_test.py counts under callgrind:
// of counted_work() alone, so that what prepares them is left out.
//
//     count_instructions broker|joiner|codec|decode
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broker/broker.h"
#include "imaging/decode.h"
#include "imaging/library.h"
#include "stages/sink/joiner.h"
#include "tests/bench/photographs.h"
#include "tests/values.h"
#include "wire/codec.h"

// By its name callgrind knows what to count, so there is one of it.
extern "C" [[gnu::noipa]] void counted_work(const std::function<void()>& work) { work(); }

namespace {

using namespace std::chrono_literals;

constexpr wire::Slot kSlots = 9;
constexpr std::uint64_t kImages = 9 * 200;
const std::vector<std::string> kLabels = {"cat", "dog"};

void require(bool right, const char* what) {
  if (!right) throw std::runtime_error(what);
}

wire::Verdict verdict() { return {.predictions = {{{1}, 0.9f}, {{0}, 0.1f}}}; }

wire::Answer answer_for(std::uint64_t number, wire::Slot slot) {
  wire::Answer answer;
  answer.batch = ::batch(number);
  answer.slot = slot;
  answer.worker = {1, slot};
  answer.verdict = verdict();
  answer.version = "single-0123abcd";
  answer.service = 40ms;
  return answer;
}

// --- broker: images one after another to an s-CNN and an assembler, each with its result ---

constexpr machine::Peer kProducer{broker::kProducers, 1}, kWorker{broker::kWorkers, 1},
    kAssembler{broker::kWorkers, 2}, kSink{broker::kWorkers, 3};

class Pipeline {
 public:
  Pipeline() : broker_(policy(), wire::Epoch{77}) {
    const std::uint64_t labels = wire::labels_hash(kLabels);
    say(kSink, wire::WorkerHello{.worker = {4, 1}, .role = wire::Role::sink, .model = {}});
    say(kWorker, wire::WorkerHello{.worker = {2, 1},
                                   .role = wire::Role::classifier,
                                   .model = {labels, 0, "s"},
                                   .capacity = kSlots});
    say(kAssembler, wire::WorkerHello{.worker = {3, 1},
                                      .role = wire::Role::assembler,
                                      .model = {labels, 3, "c"},
                                      .capacity = 4});
    say(kWorker, wire::Ready{});
    say(kAssembler, wire::Ready{});
    say(kProducer, wire::ProducerHello{.producer = {1, 1}});
  }

  void pass(std::uint64_t images) {
    for (std::uint64_t i = 0; i < images; ++i) {
      say(kProducer, wire::Submit{.request = {++request_}, .image = image_});
      now_ = now_ + 1ms;
    }
  }
  std::uint64_t results() const { return results_; }

 private:
  static broker::Policy policy() {
    broker::Policy policy;
    policy.redundancy = broker::named_redundancy("collage").value();
    policy.heartbeat = 60s;
    policy.deadline = 60s;
    policy.hedge_after = 50s;
    policy.labels = kLabels;
    return policy;
  }

  // What the others answer comes at once.
  void say(machine::Peer from, wire::Message message) {
    machine::Actions actions = broker_.on_message(from, std::move(message), now_);
    for (machine::Outgoing& out : actions.messages) {
      if (const auto* task = std::get_if<wire::Assign>(&out.message)) {
        const bool single = out.to == kWorker;
        if (single) {
          say(kSink, wire::SlotSettled{.batch = task->batch,
                                       .slot = task->slot,
                                       .source = wire::Source::single,
                                       .verdict = verdict(),
                                       .version = "s"});
        }
        say(out.to, wire::Ready{.seen = task->sequence, .held = {}});
      }
      results_ += std::holds_alternative<wire::Result>(out.message);
    }
  }

  broker::Broker broker_;
  wire::Instant now_;
  const wire::Payload image_{wire::Payload::Bytes(1000, std::uint8_t{7})};
  std::uint64_t request_ = 0;
  std::uint64_t results_ = 0;
};

void count_broker() {
  Pipeline pipeline;
  pipeline.pass(kImages);
  counted_work([&] { pipeline.pass(kImages); });
  require(pipeline.results() == 2 * kImages, "the broker has left images out");
}

void count_joiner() {
  constexpr std::uint64_t kBatches = kImages / kSlots;
  stages::sink::Joiner joiner({.open_batch_max = kBatches, .classes = kLabels.size()});
  joiner.on_epoch(kEpoch, 10s);
  joiner.set_patience(250ms);
  for (std::uint64_t b = 0; b < kBatches; ++b) {
    (void)joiner.on_opened({::batch(b), kSlots, {}, true}, at({}));
  }
  std::size_t settled = 0;
  counted_work([&] {
    for (wire::Slot slot = 0; slot < kSlots; ++slot) {
      for (std::uint64_t b = 0; b < kBatches; ++b) {
        settled += joiner.on_single(answer_for(b, slot)).settled.size();
      }
    }
  });
  require(settled == kImages, "the joiner has left answers out");
}

void count_codec() {
  std::size_t read = 0;
  counted_work([&] {
    for (std::uint64_t i = 0; i < kImages; ++i) {
      const wire::Frames frames = wire::encode(answer_for(i, 3));
      read += wire::decode(frames.header, {}).has_value();
    }
  });
  require(read == kImages, "the codec does not read what it has written");
}

void count_decode() {
  const imaging::Library library;
  const std::vector<std::uint8_t> png = bench::small_png();
  const std::vector<std::uint8_t> jpeg = bench::small_jpeg();
  std::size_t decoded = 0;
  const auto pass = [&] {
    decoded += imaging::decode(png, {.width = 28, .height = 28, .channels = 1}, {}).has_value();
    decoded += imaging::decode(jpeg, {.width = 32, .height = 32, .channels = 3}, {}).has_value();
  };
  pass();
  counted_work([&] {
    for (int i = 0; i < 100; ++i) pass();
  });
  require(decoded == 202, "a picture cannot be decoded");
}

}  // namespace

int main(int argc, char** argv) try {
  const std::map<std::string, void (*)()> works = {{"broker", count_broker},
                                                   {"joiner", count_joiner},
                                                   {"codec", count_codec},
                                                   {"decode", count_decode}};
  const auto work = works.find(argc == 2 ? argv[1] : "");
  if (work == works.end()) throw std::runtime_error("there is no such work");
  work->second();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "count_instructions: " << error.what() << "\n";
  return 2;
}
