#include "runtime/loop/signals.h"
#include "runtime/loop/event_fd.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace {

using runtime::EventFd;
using runtime::Signals;

TEST(Signals, EveryReasonToStopIsCounted) {
  Signals signals;
  kill(getpid(), SIGTERM);
  kill(getpid(), SIGINT);
  EXPECT_EQ(signals.take_stops(), 2u);
  EXPECT_EQ(signals.take_stops(), 0u);
}

TEST(Signals, AHangupOfAServiceIsNoReasonToStop) {
  Signals signals(Signals::Hangup::reloads);
  kill(getpid(), SIGHUP);
  EXPECT_EQ(signals.take_stops(), 0u);
  EXPECT_EQ(signals.take_hangups(), 1u);
}

TEST(Signals, AHangupOfAToolIsAReasonToStop) {
  Signals signals;
  kill(getpid(), SIGHUP);
  EXPECT_EQ(signals.take_hangups(), 0u);
  EXPECT_EQ(signals.take_stops(), 1u);
}

TEST(Signals, AHangupThatWasIgnoredStaysSo) {
  signal(SIGHUP, SIG_IGN);
  {
    Signals signals;
    kill(getpid(), SIGHUP);
    EXPECT_EQ(signals.take_stops(), 0u);
  }
  EXPECT_EQ(signal(SIGHUP, SIG_DFL), SIG_IGN);
}

TEST(EventFd, CountsItsNotifications) {
  EventFd bell;
  EXPECT_EQ(bell.take(), 0u);
  bell.notify();
  bell.notify();
  EXPECT_EQ(bell.take(), 2u);
}

}  // namespace
