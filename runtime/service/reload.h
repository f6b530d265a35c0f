// What takes effect when a process reads its configuration again while it runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/security/keyring.h"
#include "runtime/service/service_config.h"

namespace runtime {

// Keys whose values differ, such as "broker.deadline", in the order of the file read last.
struct Changes {
  std::vector<std::string> at_once;        // In effect now.
  std::vector<std::string> renewing;       // The process puts them into effect itself.
  std::vector<std::string> after_restart;  // Peers agreed on them, or memory was laid out by them.
};
// `renewable` are the keys that count as renewing.
Changes changes_between(const ServiceConfig& running, const ServiceConfig& fresh,
                        const std::vector<std::string>& renewable = {});

// Reads the configuration again by `load`, puts into effect what can be (log.level, log.requests),
// and refreshes `keys` if there are any, whether or not the configuration is valid.  Logs what took
// effect and what needs a restart, or why the file cannot be read; nothing changes then.  `running`
// becomes what is in effect.  Returns true if the file was read.
bool reload(ServiceConfig& running, const std::function<ServiceConfig()>& load,
            const std::vector<std::string>& renewable = {}, KeyStore* keys = nullptr);

}  // namespace runtime
