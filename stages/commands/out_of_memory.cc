#include <spdlog/spdlog.h>

#include "stages/commands/stage_commands.h"

namespace stages {

void say_out_of_memory() { spdlog::error("a task fails: there is no memory for it"); }

}  // namespace stages
