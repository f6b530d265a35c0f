// The events of a run, live or simulated, as gzipped CSV with a line for each event.
//
//     seconds,policy,event,...
//     0.000000,collage,policy                                         its first line
//     0.223104,collage,answer,17,0.138021,collage,Sandal,0.970,Boot
//                                   image, latency, source or status, class, probability, true
//                                   class
//     0.223104,collage,batch,1,0.198314                           batch, latency
//     1.000210,collage,health,9,1,0,0         s-CNN stages, collage stages, suspect, on probation
//     10.00000,collage,fault,kill classifier-3
//
// A comma, quote or line break within a name is a space.  Seconds count from the policy's first
// image that counts; latencies are in seconds.
#pragma once

#include <zlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "replay/load/load_generator.h"
#include "replay/report/summary.h"

namespace replay::report {

inline constexpr std::string_view kEventHeader = "seconds,policy,event,...";

// "single", "collage" or "hedge", or "missing", "rejected", "refused", "cancelled" or "superseded".
std::string_view outcome_of(const wire::Result& result);

class EventFile {
 public:
  // Throws std::runtime_error if the file cannot be written.  Until finish() the file has the
  // suffix .part, so that an interrupted run leaves no file that looks complete.
  explicit EventFile(const std::filesystem::path& file);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // Begins the lines of a policy.
  void policy(const std::string& name);
  void begin(wire::Instant at) { begun_ = at; }
  // `truth` is the true class of the image; empty if it is not known.
  void answer(const load::Answer& answer, const std::string& truth);
  void batch(std::size_t batch, wire::Instant at, wire::Duration latency);
  void health(const HealthSample& sample);
  void fault(wire::Instant at, const std::string& what);
  // Closes and renames the file.  Throws std::runtime_error if some of it could not be written.
  void finish();

 private:
  void line(double at_s, const std::string& rest);

  const std::filesystem::path file_, part_;
  gzFile out_ = nullptr;
  bool failed_ = false;
  std::string policy_;
  wire::Instant begun_;
};

}  // namespace replay::report
