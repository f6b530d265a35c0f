// A TCP link that can be broken without either end being told: a forwarder between a client and a
// server on this host.
//
// It forwards what is there in each step(), on the caller's thread.
#pragma once

#include <string>
#include <vector>

namespace system_test {

class Forwarder {
 public:
  // Forwards to `server`, tcp://127.0.0.1:PORT.  Throws std::runtime_error.
  explicit Forwarder(const std::string& server);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // Where clients connect, tcp://127.0.0.1:PORT.
  const std::string& endpoint() const { return endpoint_; }

  // Accepts connections and forwards what has come.  Does not wait.
  void step();

  // From now on the connections of this moment lose what is sent in these directions, also that an
  // end has closed.  Later connections work.
  void swallow(bool to_server, bool to_client);

 private:
  struct Pair {
    int client = -1, server = -1;
    bool to_server = true, to_client = true;  // Whether bytes pass.
  };
  // Returns false at the end of the connection.
  static bool forward(int from, int to, bool passes);

  std::string endpoint_;
  int server_port_ = 0;
  int listener_ = -1;
  std::vector<Pair> pairs_;
};

}  // namespace system_test
