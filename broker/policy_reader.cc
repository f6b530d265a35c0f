#include "broker/policy_reader.h"

#include "models/config.h"
#include "wire/check.h"

namespace broker {

Policy read_policy(const runtime::Pipeline& pipeline) {
  const runtime::Pipeline::Broker& from = pipeline.broker;
  Policy policy;
  policy.grid = pipeline.grid;
  policy.linger = from.linger;
  const auto redundancy = named_redundancy(pipeline.policy);
  COLLAGE_CHECK(redundancy.has_value());
  policy.redundancy = *redundancy;
  policy.hedge_after = from.hedge_after;
  policy.hedge_rate_max = from.hedge_rate_max;
  policy.suspect_factor = from.suspect_factor;
  policy.task_age_max = from.task_age_max;
  policy.heartbeat = from.heartbeat;
  policy.deadline = from.deadline;
  policy.image_bytes_max = from.image_bytes_max;
  policy.open_bytes_max = from.open_bytes_max;
  policy.open_request_max = from.open_request_max;
  policy.producer_max = from.producer_max;
  policy.producer_credit = from.producer_credit;
  policy.worker_max = from.worker_max;
  policy.correction_window = from.correction_window;
  policy.correction_max = from.correction_max;
  policy.retry_after = from.retry_after;
  policy.drain_max = from.drain_max;
  policy.labels = models::load_manifest(pipeline.models.single).class_names;
  return policy;
}

}  // namespace broker
