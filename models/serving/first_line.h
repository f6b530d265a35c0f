// What an exception of LibTorch says, for people.
#pragma once

#include <exception>
#include <string>

namespace models {

// One line: without the backtrace and "Exception raised from ..", and of an error within a script
// the last line, which says what failed.
std::string first_line(const std::exception& error);

}  // namespace models
