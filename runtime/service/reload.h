// Reads the configuration of a running process again and applies what can change without a restart.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/security/keyring.h"
#include "runtime/service/service_config.h"

namespace runtime {

// The keys whose values differ, such as "broker.deadline", in the order of the new file.
struct Changes {
  std::vector<std::string> at_once;        // Keys that take effect now.
  std::vector<std::string> renewing;       // Keys that the process puts into effect itself.
  std::vector<std::string> after_restart;  // Keys on which peers or memory layouts depend.
};
// Sorts the differences between two configurations; `renewable` lists the keys that count as
// renewing.
Changes changes_between(const ServiceConfig& running, const ServiceConfig& fresh,
                        const std::vector<std::string>& renewable = {});

// Reads the configuration again by `load`, puts into effect what can be (log.level, log.requests),
// and refreshes `keys` if there are any, whether or not the configuration is valid.  Logs what took
// effect and what needs a restart, or why the file cannot be read; nothing changes then.  `running`
// becomes what is in effect.  Returns true if the file was read.
bool reload(ServiceConfig& running, const std::function<ServiceConfig()>& load,
            const std::vector<std::string>& renewable = {}, KeyStore* keys = nullptr);

}  // namespace runtime
