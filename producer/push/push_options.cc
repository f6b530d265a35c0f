#include "producer/push/push_options.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "producer/choice.h"

namespace producer {

namespace {

constexpr const char* kFooter = R"(
Examples:
  collage-push photo.jpg --endpoint tcp://127.0.0.1:5570
  collage-push photos/ --endpoint tcp://broker:5570 --rate 50 --deadline 2
  find . -name '*.png' -print0 | collage-push - --endpoint tcp://broker:5570 > results.jsonl
  collage-push --list photos.txt --format csv --endpoint tcp://broker:5570 > results.csv
  collage-push --status --endpoint tcp://broker:5570
  collage-push photo.jpg --endpoint tcp://broker:5570 --keys ~/.config/collage/keys
  collage-push frames/ --endpoint tcp://broker:5570 --rate 30 --latest --priority high
  collage-push photos/ -e tcp://a:5570 -e tcp://b:5570 --stream camera-7

Files of a directory are sent in order of name; hidden files are left out.  A list has one path a
line (LF or CRLF), or paths that end with NUL, as find -print0 writes them.  What cannot be sent has
the status unreadable, with the error: pipes, links to nothing, links to directories inside of a
directory, and a directory or a list without files.  Bytes of a name that are not UTF-8 are written
as \xHH, and file_base64 has the exact name.

Times are in seconds, probabilities are 0..1.  With --rate the load is open loop: latency_s and the
deadline of an image count from the time at which it was due.  Otherwise they count from the time at
which it was submitted: as many images are open as the pipeline answers in time, which it finds out
as TCP does.  With --in-order, latency_s includes the wait for earlier images.

A missing image has a reason: no_broker, no_sink, no_stage, overloaded (the stages had no time for
it), no_answer (they had it and did not answer) or draining.  If the broker is silent, collage-push
itself says missing, half a second after the deadline.

With --latest an image that still waits when the next one is sent gets the status superseded; for
pictures of a camera, of which only the newest counts.  An answer with "brownout": true is a
collage's because the pipeline was overloaded.

Exit code: 0 if every image was answered, 1 if some were not, 2 if it could not start or
reach no broker.)";

std::string positive_seconds(const std::string& text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool number = error == std::errc{} && end == text.data() + text.size();
  if (number && seconds >= 0.001 && seconds <= 86400) return {};
  return "'" + text + "' is not a time in seconds from 0.001 to 86400";
}

std::string positive_rate(const std::string& text) {
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  const bool number = error == std::errc{} && end == text.data() + text.size();
  if (number && rate >= 0.001 && rate <= 1e6) return {};
  return "'" + text + "' is not a rate in images per second from 0.001 to 1000000";
}

std::optional<wire::Priority> priority_of(std::string_view name) {
  using wire::Priority;
  for (const auto priority : {Priority::low, Priority::normal, Priority::high}) {
    if (to_string(priority) == name) return priority;
  }
  return std::nullopt;
}

std::string priority_error(const std::string& text) {
  if (priority_of(text)) return {};
  return "'" + text + "' is not low, normal or high";
}

void add_inputs(CLI::App& app, PushOptions& options) {
  app.add_option("path", options.paths,
                 "Image files, directories, or - for a list of paths on standard input");
  app.add_option("--list", options.lists, "A file with a list of paths; may be given again")
      ->allow_extra_args(false);
}

void add_brokers(CLI::App& app, PushOptions& options) {
  app.add_option(
         "-e,--endpoint", options.endpoints,
         "The broker as tcp://HOST:PORT or ipc://PATH; give several brokers (again, or with "
         "commas) to let --stream choose one, and the next while that one is silent")
      ->envname("COLLAGE_ENDPOINT")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--stream", options.stream,
                 "The name of the images' stream, such as camera-7; of several brokers the same "
                 "stream always gets the same one");
  app.add_option("--keys", options.keys,
                 "Encrypt with the keys of this folder: producer.secret and broker.public (for "
                 "--status of a sink: sink.public)");
}

void add_times(CLI::App& app, PushOptions& options) {
  app.add_option("--rate", options.rate,
                 "Images per second; without it, as fast as the pipeline answers")
      ->check(CLI::Validator(positive_rate, ""));
  app.add_option_function<double>(
         "--deadline", [&options](double s) { options.deadline = wire::from_seconds(s); },
         "Seconds from when an image is submitted (with --rate: due) until it counts as missing; "
         "the pipeline's own deadline, if it is shorter, holds [10]")
      ->check(CLI::Validator(positive_seconds, ""));
  app.add_option_function<double>(
         "--timeout", [&options](double s) { options.reach_max = wire::from_seconds(s); },
         "Seconds to wait for the broker's first answer [5]")
      ->check(CLI::Validator(positive_seconds, ""));
  app.add_option_function<double>(
         "--failover-after",
         [&options](double s) { options.failover_after = wire::from_seconds(s); },
         "Of several brokers: seconds without a word from one, though its answer is due, after "
         "which its unanswered images go to the next [1]")
      ->check(CLI::Validator(positive_seconds, ""));
}

void add_service(CLI::App& app, PushOptions& options) {
  app.add_option_function<std::string>(
         "--priority",
         [&options](const std::string& name) { options.priority = *priority_of(name); },
         "Which images an overloaded pipeline serves first: low, normal or high [normal]")
      ->check(CLI::Validator(priority_error, ""));
  app.add_flag("--latest", options.latest,
               "Each image supersedes the earlier ones that still wait for an answer");
  app.add_flag(
      "--corrections", options.corrections,
      "Print one more line, with the status corrected, if a late single answer contradicts "
      "a collage's answer");
}

void add_output(CLI::App& app, PushOptions& options) {
  app.add_option_function<std::string>(
         "--format", [&options](const std::string& name) { options.csv = name == "csv"; },
         "json: one object per line; csv: one row per line, after a header [json]")
      ->check(CLI::IsMember({"json", "csv"}));
  app.add_flag("--in-order", options.in_order, "Print the results in the order of the files");
  app.add_flag("--status", options.status, "Print the broker's counters as JSON and exit");
  app.add_flag("-q,--quiet", options.quiet, "Print no progress and no summary");
}

// What no single option shows to be wrong; then chooses the broker.
void finish(PushOptions& options) {
  if (options.paths.empty() && options.lists.empty() && !options.status) {
    throw CLI::RequiredError("path");
  }
  if (options.endpoints.empty()) {
    throw CLI::RequiredError("--endpoint (or the environment variable COLLAGE_ENDPOINT)");
  }
  if (options.endpoints.size() > 1 && options.stream.empty()) {
    throw CLI::RequiresError("--endpoint", "--stream (there are several endpoints)");
  }
  options.endpoints = rank_brokers(options.stream, std::move(options.endpoints));
}

}  // namespace

void add_push_options(CLI::App& app, PushOptions& options) {
  app.footer(kFooter);
  add_inputs(app, options);
  add_brokers(app, options);
  add_times(app, options);
  add_service(app, options);
  add_output(app, options);
  app.callback([&options] { finish(options); });
}

}  // namespace producer
