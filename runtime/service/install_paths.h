// Where what comes with the project lies: in a checkout, or where the Debian packages put it.
#pragma once

#include <filesystem>

namespace runtime {

// The folder of this program's file.
std::filesystem::path program_folder();

// `relative` as it is if the working folder has it; else ../share/collage/`relative` of the
// program's folder if that is there; else as it is, for an error to name.
std::filesystem::path installed_path(const std::filesystem::path& relative);

// pipeline.yaml of the working folder or, if it has none, of /etc/collage.
std::filesystem::path default_pipeline();

}  // namespace runtime
