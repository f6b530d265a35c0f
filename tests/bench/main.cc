// Benchmarks of what runs in one process; bench.py runs them and compares.
//
//     collage_bench [--benchmark_filter=REGEX] [options of Google Benchmark]
//     collage_bench --photographs FOLDER      writes the files that are decoded into FOLDER
#include <benchmark/benchmark.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "imaging/library.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/photographs.h"

namespace {

void write_photographs(const std::filesystem::path& folder) {
  int number = 0;
  for (const auto& file : bench::photographs()) {
    std::ofstream out(folder / (std::to_string(number++) + ".jpg"), std::ios::binary);
    out.write(reinterpret_cast<const char*>(file.data()),
              static_cast<std::streamsize>(file.size()));
    if (!out) throw std::runtime_error("cannot write into " + folder.string());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  const imaging::Library library;
  if (argc == 3 && std::string(argv[1]) == "--photographs") {
    write_photographs(argv[2]);
    return 0;
  }
  bench::add_broker();
  bench::add_classifier();
  bench::add_collage();
  bench::add_decoders();
  bench::add_joiner();
  bench::add_networks();
  bench::add_simulator();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "collage_bench: " << error.what() << "\n";
  return 2;
}
