// Answers the requests of all connections: reads what they submit, has the gateway classify it,
// and writes what came of it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gateway/door/codec.h"
#include "gateway/door/http_figures.h"
#include "gateway/gateway.h"
#include "gateway/idempotency.h"
#include "gateway/request_options.h"
#include "machine/telemetry.h"
#include "runtime/loop/loop.h"
#include "runtime/service/process_metrics.h"

namespace gateway {

// Its functions may be called by any thread but the loop's.
class Responder {
 public:
  // The telemetry of the whole process; nullopt if its loop is blocked.
  using Report = std::function<std::optional<machine::Telemetry>()>;

  // `loop` drives `gateway`; both must outlive the responder.  `stopping` is a descriptor that is
  // readable once no answer is waited for any more.
  Responder(const Policy& policy, Gateway& gateway, runtime::Loop& loop, Report report,
            int stopping);

  // Returns the response; nullopt if the client has gone, in which case its images are withdrawn.
  std::optional<Response> respond(const Request& request);

 private:
  using Outcomes = std::optional<std::vector<Outcome>>;
  struct Reply {
    Response response;
    // True if the same request would get this response again; false if part of it was refused for
    // now, or failed.
    bool final = true;
  };

  std::optional<Response> classify(const Request& request);
  std::optional<Response> classify_once(const Request& request, const RequestOptions& options);
  std::optional<Reply> submit(const Request& request, const RequestOptions& options);
  Outcomes await(const Request& request, const std::vector<Image>& images,
                 const RequestOptions& options);
  Response report_page(Endpoint endpoint);
  bool is_ready();
  Response ready();

  const Policy policy_;
  Gateway& gateway_;
  runtime::Loop& loop_;
  const Report report_;
  const int stopping_;
  const runtime::ProcessFigures process_;
  std::mutex mutex_;  // Of idempotency_.
  Idempotency idempotency_;
};

}  // namespace gateway
