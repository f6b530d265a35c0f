// Makes the keys of all hosts of a pipeline, once, on one host.  Each host gets one folder of the
// tree and nothing else; its security.keys names that folder.
//
//     keys/b1/broker.secret  allowed/producers/p1.public  allowed/stages/h1.public ...
//          s1/sink.secret    broker.public  allowed/...
//          h1/stage.secret   broker.public  sink.public  allowed/stages/...
//          p1/producer.secret  broker.public  sink.public
//
// A host with several roles has the files of each role.  All sinks have one pair.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace runtime {

struct KeyHosts {
  std::string broker;
  std::vector<std::string> sinks;  // One at least, in any order.
  std::vector<std::string> stages, producers;
  std::string assembler;  // The assembler's host, one of `stages`; empty if the link is inproc://.
};

// Writes the files that do not exist yet and changes none that do, so that hosts can be added: a
// host that has a pair keeps it.  Returns the number of files written.  Throws ConfigError, for
// instance if a public key file exists without the key that belongs in it.
std::size_t make_key_tree(const std::filesystem::path& folder, const KeyHosts& hosts);

// Describes the folder of a host, one line for each secret key in it.  Throws ConfigError if a
// process with one of these keys could not start.
std::string describe_keys(const std::filesystem::path& folder);

}  // namespace runtime
