// The operators of this package, `duallora::*`, which are called as LibTorch's own are.
//
// They compute on the CPU and record no graph: what is differentiated stands in Swift, where the
// forward and the backward of a function are two operators. The dispatcher checks types and counts of
// arguments against the schemas; each operator checks shapes.
#include "operators.h"

#include <torch/library.h>

// Each line: m.def("name(Tensor x) -> Tensor", torch::dispatch(c10::DispatchKey::CPU, ctorch::name));
TORCH_LIBRARY(duallora, m) {
    m.def("cross_entropy_(Tensor(a!) logits, Tensor labels, float? gradient_scale=None) -> Tensor",
          torch::dispatch(c10::DispatchKey::CPU, ctorch::cross_entropy));
}
