// Reads the images of POST /v1/classify.
//
//   image/*, application/octet-stream   the body is one image
//   multipart/form-data                 each file is an image
//   application/json                    {"image": "<base64>"} or {"images": ["<base64>", ...]}; an
//                                       item may also be {"image": "<base64>", "name": "a.png"}
#pragma once

#include <vector>

#include "gateway/http.h"
#include "gateway/image.h"
#include "gateway/policy.h"
#include "gateway/problem.h"

namespace gateway {

struct ClassifyRequest {
  std::vector<Image> images;  // At least one, at most Policy::images_max.
  bool list = false;          // True if the answer is an array, even of one.
};

// A Problem: the body is not as its type says (400), has no image (400) or too many (413), or is of
// another type (415).
OrProblem<ClassifyRequest> read_classify_request(const RequestHead& head, const Body& body,
                                                 const Policy& policy);

}  // namespace gateway
