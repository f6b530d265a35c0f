#include "runtime/loop/peer_protocols.h"

#include <gtest/gtest.h>

namespace {

using runtime::PeerProtocols;
using wire::kProtocol;

TEST(PeerProtocols, AnswersEachPeerInItsLatestVersion) {
  PeerProtocols protocols;
  EXPECT_EQ(protocols.of(1), kProtocol);
  protocols.heard(1, 2);
  protocols.heard(2, kProtocol);
  EXPECT_EQ(protocols.of(1), 2u);
  EXPECT_EQ(protocols.of(2), kProtocol);
  protocols.heard(1, kProtocol);
  EXPECT_EQ(protocols.of(1), kProtocol);
}

TEST(PeerProtocols, ForgetsAPeer) {
  PeerProtocols protocols;
  protocols.heard(1, 2);
  protocols.forget(1);
  EXPECT_EQ(protocols.of(1), kProtocol);
  EXPECT_EQ(protocols.size(), 0u);
}

TEST(PeerProtocols, RemembersOnlyOlderVersions) {
  PeerProtocols protocols;
  for (std::uint64_t peer = 0; peer < 100; ++peer) protocols.heard(peer, kProtocol);
  EXPECT_EQ(protocols.size(), 0u);
}

TEST(PeerProtocols, IsBoundedAndKeepsThePeersThatWereHeardLast) {
  PeerProtocols protocols(8);
  for (std::uint64_t peer = 1; peer <= 1000; ++peer) {
    protocols.heard(peer, 2);
    protocols.heard(7000, 2);  // Heard again and again.
    EXPECT_LE(protocols.size(), 8u);
    EXPECT_EQ(protocols.of(7000), 2u);
    EXPECT_EQ(protocols.of(peer), 2u);
  }
  EXPECT_EQ(protocols.of(1), kProtocol);
  for (std::uint64_t peer = 998; peer <= 1000; ++peer) EXPECT_EQ(protocols.of(peer), 2u);
}

}  // namespace
