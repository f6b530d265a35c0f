#include "replay/report/event_reader.h"

#include <zlib.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "replay/report/collector.h"
#include "replay/report/events.h"

namespace replay::report {
namespace {

// What is wrong with a line.
class BadLine : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Fields {
 public:
  explicit Fields(std::vector<std::string_view> fields) : fields_(std::move(fields)) {}
  std::string_view operator[](std::size_t i) const {
    if (i < fields_.size()) return fields_[i];
    throw BadLine("has " + std::to_string(fields_.size()) + " fields, must have more");
  }

 private:
  std::vector<std::string_view> fields_;
};

Fields split(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == line.npos) return Fields(std::move(fields));
    line.remove_prefix(comma + 1);
  }
}

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw BadLine("'" + std::string(text) + "' is no number");
  }
  return value;
}

wire::Duration duration(std::string_view text) {
  const auto seconds = number<double>(text);
  constexpr double kMax = 1e9;  // Decades.
  if (!(seconds >= -kMax && seconds <= kMax)) {
    throw BadLine("'" + std::string(text) + "' is no time");
  }
  return wire::from_seconds(seconds);
}

void set_outcome(wire::Result& result, std::string_view field) {
  using wire::ResultStatus;
  using wire::Source;
  for (const Source source : {Source::single, Source::collage, Source::hedge}) {
    if (to_string(source) != field) continue;
    result.status = ResultStatus::answered;
    result.source = source;
    return;
  }
  for (const auto status : {ResultStatus::missing, ResultStatus::rejected, ResultStatus::refused,
                            ResultStatus::cancelled, ResultStatus::superseded}) {
    if (to_string(status) != field) continue;
    result.status = status;
    return;
  }
  throw BadLine("'" + std::string(field) + "' is no source");
}

// One policy's part of the file.
class Part {
 public:
  Part(const std::string& policy, std::size_t slots)
      : collector_(
            policy, [this](std::size_t) -> const std::string& { return truth_; }, slots) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void take(const Fields& f) {
    const std::string_view event = f[2];
    if (event == "policy") return;  // Only that it began.
    if (event == "answer") {
      answer(f);
    } else if (event == "batch") {
      collector_.batch(number<std::size_t>(f[3]), duration(f[4]));
    } else if (event == "health") {
      health(f);
    } else if (event == "fault") {
      collector_.fault({duration(f[0])}, std::string(f[3]));
    } else {
      throw BadLine("'" + std::string(event) + "' is no event");
    }
  }

  PolicyRun run(std::uint64_t seed) const {
    PolicyRun run = collector_.run({}, 0, seed);
    run.judged = judged_;
    return run;
  }

 private:
  void answer(const Fields& f) {
    load::Answer answer;
    answer.at = {duration(f[0])};
    answer.image = number<std::size_t>(f[3]);
    answer.latency = duration(f[4]);
    set_outcome(answer.result, f[5]);
    if (answer.result.status == wire::ResultStatus::answered) {
      answer.result.predictions = {{std::string(f[6]), {{}, number<float>(f[7])}}};
    }
    truth_ = f[8];
    judged_ = judged_ || !truth_.empty();
    collector_.answered(answer);
  }

  void health(const Fields& f) {
    collector_.health({.at_s = number<double>(f[0]),
                       .classifiers = number<std::uint64_t>(f[3]),
                       .assemblers = number<std::uint64_t>(f[4]),
                       .suspect = number<std::uint64_t>(f[5]),
                       .on_probation = number<std::uint64_t>(f[6])});
  }

  std::string truth_;  // Of the answer being taken.
  bool judged_ = false;
  Collector collector_;
};

// The lines of a gzipped text.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& file) : file_(file), in_(gzopen(file.c_str(), "rb")) {
    if (!in_) throw EventError(file.string() + ": cannot be read");
    gzbuffer(in_.get(), 1 << 18);
  }

  std::optional<std::string_view> next() {
    if (!gzgets(in_.get(), line_.data(), static_cast<int>(line_.size()))) {
      int error = Z_OK;
      gzerror(in_.get(), &error);
      if (error != Z_OK && error != Z_STREAM_END) {
        throw EventError(file_.string() + ": is damaged");
      }
      return std::nullopt;
    }
    number_ += 1;
    std::string_view line(line_.data());
    if (line.ends_with('\n')) line.remove_suffix(1);
    return line;
  }
  std::size_t number() const { return number_; }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  const std::filesystem::path file_;
  std::unique_ptr<gzFile_s, Close> in_;
  std::array<char, 4096> line_{};
  std::size_t number_ = 0;
};

}  // namespace

std::vector<PolicyRun> read_events(const std::filesystem::path& file, std::uint64_t seed,
                                   std::size_t slots) {
  Lines lines(file);
  std::vector<PolicyRun> runs;
  std::unique_ptr<Part> part;
  std::string policy;
  try {
    const auto header = lines.next();
    if (!header || *header != kEventHeader) {
      throw BadLine("is no log of events, must begin with " + std::string(kEventHeader));
    }
    while (const auto line = lines.next()) {
      const Fields fields = split(*line);
      if (!part || fields[1] != policy) {
        if (part) runs.push_back(part->run(seed));
        policy = fields[1];
        part = std::make_unique<Part>(policy, slots);
      }
      part->take(fields);
    }
  } catch (const BadLine& error) {
    throw EventError(file.string() + ":" + std::to_string(lines.number()) + ": " + error.what());
  }
  if (part) runs.push_back(part->run(seed));
  return runs;
}

}  // namespace replay::report
