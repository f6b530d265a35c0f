// ONNX's messages, with the definition that says which of the generated headers is installed.
#pragma once

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#include <onnx/onnx_pb.h>
