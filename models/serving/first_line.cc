#include "models/serving/first_line.h"

#include <c10/util/Exception.h>

#include <string_view>

namespace models {

std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  const std::size_t last = text.find_last_not_of(" \n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  // The interpreter puts where it happened first and what happened last.
  constexpr std::string_view kTrace = "The following operation failed";
  if (text.starts_with(kTrace)) text.erase(0, text.rfind('\n') + 1);
  text.erase(0, text.find_first_not_of(" \n"));
  return text.substr(0, text.find('\n'));
}

}  // namespace models
