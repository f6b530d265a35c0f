// What takes effect when a process reads its file again while it runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/pipeline/pipeline.h"
#include "runtime/security/keyring.h"

namespace runtime {

// Keys whose values differ, as in "broker.deadline", in the order of the file read last.
struct Changes {
  std::vector<std::string> at_once;
  std::vector<std::string> renewing;       // The process itself puts them into effect, if it can.
  std::vector<std::string> after_restart;  // Peers agreed on them, or memory was laid out by them.
};
// `renewable` are the keys that count as renewing.
Changes changes_between(const Pipeline& running, const Pipeline& fresh,
                        const std::vector<std::string>& renewable = {});

// Reads the file of `running` again and puts into effect what can be (log.level, log.requests),
// and the keys, if there are any (KeyStore::refresh); says in the log what came of it, what wants a
// restart, or why the file cannot be read: then nothing of it changes, and nothing is returned. The
// keys are read whatever the file.  `running` becomes what is in effect.
std::optional<Pipeline> reload(Pipeline& running, const std::vector<std::string>& renewable = {},
                               KeyStore* keys = nullptr);

}  // namespace runtime
