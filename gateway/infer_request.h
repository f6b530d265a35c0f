// Reads the inference request of the Open Inference Protocol (v2, REST), with its binary extension.
//
// There is one input, `image`, of type BYTES and shape [N] or [N, 1]: N encoded images.  In JSON
// its data are base64 texts.  In binary form (header Inference-Header-Content-Length, parameter
// binary_data_size) each is a length of four bytes, little-endian, and the image itself.
#pragma once

#include <string>
#include <vector>

#include "gateway/http.h"
#include "gateway/image.h"
#include "gateway/policy.h"
#include "gateway/problem.h"

namespace gateway {

struct RequestedOutput {
  std::string name;
  bool binary = false;
};

struct InferRequest {
  std::string id;                        // Repeated in the response; may be empty.
  std::vector<Image> images;             // At least one, at most Policy::images_max.
  std::vector<RequestedOutput> outputs;  // In the order asked for; all of them if none was named.
};

// The outputs by name, in the order of the model's metadata.
//   label, class, probability  [N, K]  the K best classes of each image, the best first
//   source, model              [N]     who answered
//   status                     [N]     200, or the HTTP status of an image that was not answered
//   reason                     [N]     why it was not; empty if it was
const std::vector<std::string>& output_names();

// A Problem: the request is not well-formed or its parts contradict one another (400), or it has
// too many images (413).
OrProblem<InferRequest> read_infer_request(const RequestHead& head, const Body& body,
                                           const Policy& policy);

}  // namespace gateway
