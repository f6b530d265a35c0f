#include "runtime/pipeline/quantiles.h"

#include <optional>
#include <sstream>
#include <string_view>

#include "runtime/config/config_error.h"
#include "runtime/config/quantity.h"
#include "wire/types.h"

namespace runtime {
namespace {

using Row = machine::QuantileTable::Row;

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;  // Tens of thousands of rows.
constexpr std::string_view kTableHeader = "quantile,seconds";
constexpr double kTableSecondsMax = wire::to_seconds(wire::kDurationMax);

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  void read(std::string_view line) {
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) return;
    if (!header_) {
      if (line != kTableHeader)
        fail(1, "is " + in_quotes(line) + ", expected the header quantile,seconds");
      header_ = true;
    } else {
      add(line);
    }
  }

  std::vector<Row> finish() {
    if (rows_.size() < 2) {
      line_ = line_ == 0 ? 1 : line_;
      fail(1, "ends too early, expected quantile,seconds and at least two rows");
    }
    // A QuantileTable interpolates between rows and never extrapolates, so its rows must span 0..1.
    if (rows_.back().quantile != 1) {
      line_ = last_row_;
      fail(1, "the last quantile is " + number_text(rows_.back().quantile) + ", expected 1");
    }
    return std::move(rows_);
  }

 private:
  [[noreturn]] void fail(std::size_t column, const std::string& message) const {
    throw ConfigError(name_, {.line = line_, .column = static_cast<int>(column)}, "", message);
  }

  double number(std::string_view field, std::size_t column, double max, const char* what) const {
    const auto number = parse_number(field);
    if (number && *number >= 0 && *number <= max) return *number;
    fail(column,
         "is " + in_quotes(field) + ", expected " + what + " from 0 to " + number_text(max));
  }

  void add(std::string_view line) {
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos)
      fail(1, "is " + in_quotes(line) + ", expected two numbers");
    const Row row{.quantile = number(line.substr(0, comma), 1, 1, "a quantile"),
                  .value = number(line.substr(comma + 1), comma + 2, kTableSecondsMax, "seconds")};
    if (rows_.empty() && row.quantile != 0) {
      fail(1, "the first quantile is " + number_text(row.quantile) + ", expected 0");
    }
    if (!rows_.empty() && row.quantile <= rows_.back().quantile) {
      fail(1, "quantile " + number_text(row.quantile) + " follows " +
                  number_text(rows_.back().quantile) + ", expected rising quantiles");
    }
    if (!rows_.empty() && row.value < rows_.back().value) {
      fail(comma + 2, "seconds " + number_text(row.value) + " follow " +
                          number_text(rows_.back().value) + ", expected seconds that do not fall");
    }
    rows_.push_back(row);
    last_row_ = line_;
  }

  const std::string& name_;
  int line_ = 0;
  int last_row_ = 0;
  bool header_ = false;
  std::vector<Row> rows_;
};

}  // namespace

std::vector<Row> parse_quantiles(const std::string& text, const std::string& name) {
  Reader reader(name);
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) reader.read(line);
  return reader.finish();
}

std::vector<Row> load_quantiles(const std::filesystem::path& path) {
  return parse_quantiles(read_config_file(path.string(), kFileBytesMax), path.string());
}

}  // namespace runtime
