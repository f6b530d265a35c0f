// The keys of all hosts of a pipeline, made once on one host: a folder for each host, which is all
// that it gets and what its security.keys names.
//
//     keys/b1/broker.secret  allowed/producers/p1.public  allowed/stages/h1.public ...
//          s1/sink.secret    broker.public  allowed/...
//          h1/stage.secret   broker.public  sink.public  allowed/stages/...
//          p1/producer.secret  broker.public  sink.public
//
// A host that is several things has the files of each.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace runtime {

struct KeyHosts {
  std::string broker, sink;
  std::vector<std::string> stages, producers;
  std::string assembler;  // One of the stages, if endpoints.collage is tcp://.
};

// Writes what is not there yet, so that hosts can be added, and changes no file that is: a host
// that has its pair keeps it.  Returns how many files were written.  Throws ConfigError, for
// instance if a public key file is there without the key that is to be in it.
std::size_t make_key_tree(const std::filesystem::path& folder, const KeyHosts& hosts);

// What a host's folder holds, a line each of the secrets in it; throws ConfigError if a process
// that has one could not start.
std::string describe_keys(const std::filesystem::path& folder);

}  // namespace runtime
