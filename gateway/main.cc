// collage-gateway: the pipeline's door for HTTP clients.
#include <memory>
#include <string>
#include <vector>

#include "gateway/door/door.h"
#include "gateway/gateway.h"
#include "runtime/loop/endpoint.h"
#include "runtime/loop/random_id.h"
#include "runtime/pipeline/startup.h"
#include "runtime/service/cli.h"
#include "runtime/service/heap.h"

namespace {

std::vector<runtime::Link> links_of(const runtime::Startup& start) {
  std::vector<runtime::Link> links;
  for (const std::string& broker : start.pipeline.gateway.brokers) {
    // What comes from a broker is small.
    links.push_back(runtime::connected_dealer(runtime::reached_from_here(broker), 0, start.keys,
                                              runtime::LinkName::producers));
  }
  return links;
}

int run(const runtime::StartOptions& options) {
  runtime::Startup start(options, runtime::KeyOwner::producer);
  const gateway::Policy& policy = start.pipeline.gateway;
  gateway::Gateway machine(policy, runtime::random_long_id<wire::ProducerId>());
  if (start.only_checks()) return 0;
  runtime::Process process{
      "gateway", start.pipeline.http.gateway, {{"gateway", machine, links_of(start), {}}}};
  process.about = [&machine] { return machine.about(); };
  process.drain_max = runtime::drain_max_for(start.pipeline.broker.deadline);
  process.attach = [&](runtime::Loop& loop, runtime::Report report) {
    auto door = std::make_shared<gateway::Door>(policy, machine, loop, std::move(report));
    machine.add_metrics([&door = *door](machine::Telemetry& more) { door.figures().add_to(more); });
    return door;
  };
  return start.serve(std::move(process));
}

}  // namespace

int main(int argc, char** argv) {
  runtime::return_large_blocks();
  CLI::App app(
      "The pipeline's door for HTTP clients: POST /v1/classify, and the Open Inference Protocol.\n"
      "The section `gateway` of the file says where it listens; docs/HTTP.md has the interface.\n\n"
      "  collage-gateway pipeline.yaml\n"
      "  collage-gateway --check pipeline.yaml\n"
      "  curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg "
      "http://127.0.0.1:8080/v1/classify",
      "collage-gateway");
  runtime::StartOptions options;
  runtime::add_start_options(app, options);
  return runtime::run_cli(app, argc, argv, [&options] { return run(options); });
}
