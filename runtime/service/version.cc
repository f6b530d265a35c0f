#include "runtime/service/version.h"

#include "runtime/service/version_generated.h"
#include "wire/message.h"

namespace runtime {

std::string version() { return COLLAGE_VERSION; }

std::string commit() { return COLLAGE_COMMIT; }

std::string version_text() {
  return "collage " + version() + ", protocol " + std::to_string(wire::kProtocol) + ", commit " +
         commit();
}

}  // namespace runtime
