#include "models/serving/serving_policy.h"

#include <fstream>
#include <sstream>
#include <string>

namespace models {

// By what Linux says, which knows whether the system saves the registers, too.
bool computes_bfloat16() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream flags(line);
    for (std::string flag; flags >> flag;) {
      if (flag == "avx512_bf16" || flag == "amx_bf16") return true;
    }
    return false;
  }
  return false;
}

}  // namespace models
