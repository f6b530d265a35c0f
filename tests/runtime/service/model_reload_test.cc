#include "runtime/service/model_reload.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>

#include <future>
#include <sstream>
#include <stdexcept>

#include "runtime/loop/log.h"

namespace runtime {
namespace {

using testing::HasSubstr;

class Idle : public machine::Machine {
 public:
  machine::Actions on_message(machine::Peer, wire::Message, wire::Instant) override {
    machine::Actions actions;
    actions.finished = true;
    return actions;
  }
  machine::Actions on_timeout(wire::Instant) override { return {}; }
  machine::Actions on_done(wire::WorkId, machine::Outcome, wire::Instant) override { return {}; }
  std::optional<wire::Instant> next_timeout() const override { return std::nullopt; }
};

// Two running loops and the text of the log.
class ModelReloadTest : public testing::Test {
 protected:
  ModelReloadTest() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_)));
    for (int i = 0; i < 2; ++i) {
      loops_.push_back(std::make_unique<Loop>(
          context_,
          std::vector<Link>{{.kind = Link::Kind::router,
                             .bind = true,
                             .endpoint = "inproc://renewal" + std::to_string(i)}},
          machine_[i], Loop::Runner{}, Loop::Options{}));
      threads_.emplace_back([loop = loops_.back().get()] { loop->run(); });
    }
  }
  ~ModelReloadTest() override {
    stop();
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
  }
  std::vector<Loop*> both() { return {loops_[0].get(), loops_[1].get()}; }
  std::thread::id of_loop(std::size_t i) const { return threads_[i].get_id(); }
  std::string log() const { return log_.str(); }

 private:
  void stop() {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      loops_[i]->stop();
      threads_[i].join();
    }
  }
  std::ostringstream log_;
  Context context_;
  Idle machine_[2];
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
};

TEST_F(ModelReloadTest, PreparesOutsideTheLoopsAndSwapsInEach) {
  std::thread::id prepared, taken[2];
  {
    ModelReload renewal(
        [&]() -> ModelReload::Swap {
          prepared = std::this_thread::get_id();
          return {std::string("grid 4"),
                  {[&] { taken[0] = std::this_thread::get_id(); },
                   [&] { taken[1] = std::this_thread::get_id(); }}};
        },
        both());
    renewal.begin();
  }
  EXPECT_EQ(taken[0], of_loop(0));
  EXPECT_EQ(taken[1], of_loop(1));
  EXPECT_NE(prepared, of_loop(0));
  EXPECT_NE(prepared, std::this_thread::get_id());
  EXPECT_THAT(log(), HasSubstr("grid 4"));
}

TEST_F(ModelReloadTest, AFailureIsLoggedAndChangesNothing) {
  {
    ModelReload renewal([]() -> ModelReload::Swap { throw std::runtime_error("m.yaml: other"); },
                        both());
    renewal.begin();
  }
  EXPECT_THAT(log(), HasSubstr("m.yaml: other (nothing has changed)"));
}

TEST_F(ModelReloadTest, IsNotBegunTwiceAtATime) {
  std::promise<void> enough;
  int begun = 0;
  {
    ModelReload renewal(
        [&, wait = enough.get_future().share()]() -> ModelReload::Swap {
          ++begun;
          wait.wait();
          return {};
        },
        both());
    renewal.begin();
    renewal.begin();
    enough.set_value();
  }
  EXPECT_EQ(begun, 1);
  EXPECT_THAT(log(), HasSubstr("still loading"));
}

// Only the last loop may be busy.
TEST_F(ModelReloadTest, IsTakenOverByTheLastLoopFirst) {
  std::vector<int> order;
  {
    ModelReload renewal(
        [&]() -> ModelReload::Swap {
          return {"all", {[&] { order.push_back(0); }, [&] { order.push_back(1); }}};
        },
        both());
    renewal.begin();
  }
  EXPECT_THAT(order, testing::ElementsAre(1, 0));
}

}  // namespace
}  // namespace runtime
