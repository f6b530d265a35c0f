// Finds the files of the project: in a checkout, or where the Debian packages install them.
#pragma once

#include <filesystem>

namespace runtime {

// Returns the folder of the running program's file.
std::filesystem::path program_folder();

// Returns `relative` if the working folder has it; else ../share/collage/`relative`, seen from the
// program's folder, if that exists; else `relative`, so that an error can name it.
std::filesystem::path installed_path(const std::filesystem::path& relative);

// Returns pipeline.yaml if the working folder has one or /etc/collage has none; else
// /etc/collage/pipeline.yaml.
std::filesystem::path default_pipeline();

}  // namespace runtime
