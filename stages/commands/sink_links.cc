#include "stages/commands/sink_links.h"

namespace stages {

void add_sink_links(const runtime::Pipeline& pipeline, std::uint64_t frame_bytes_max,
                    const std::shared_ptr<runtime::KeyStore>& keys,
                    std::vector<runtime::Link>& links) {
  for (const std::string& endpoint : pipeline.endpoints.answers) {
    links.push_back(
        runtime::connected_dealer(endpoint, frame_bytes_max, keys, runtime::LinkName::answers));
  }
}

}  // namespace stages
