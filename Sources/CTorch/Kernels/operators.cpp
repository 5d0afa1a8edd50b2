// The operators of this package, `duallora::*`, which are called as LibTorch's own are.
//
// They compute on the CPU and record no graph: what is differentiated stands in Swift, where the
// forward and the backward of a function are two operators. The dispatcher checks types and counts of
// arguments against the schemas; each operator checks shapes.
#include "operators.h"

#include <torch/library.h>

namespace {

template <class Function>
auto on_the_cpu(Function *function) {
    return torch::dispatch(c10::DispatchKey::CPU, function);
}

} // namespace

TORCH_LIBRARY(duallora, m) {
    m.def("rms_norm(Tensor x, Tensor? residual, Tensor weight, float epsilon, bool keeps_statistics)"
          " -> (Tensor, Tensor, Tensor)",
          on_the_cpu(ctorch::rms_norm));
    m.def("rms_norm_backward(Tensor gradient, Tensor? sum_gradient, Tensor sum, Tensor weight,"
          " Tensor statistics, bool needs_input, bool needs_weight) -> (Tensor, Tensor)",
          on_the_cpu(ctorch::rms_norm_backward));
    m.def("layer_norm(Tensor x, Tensor? residual, Tensor weight, Tensor bias, float epsilon,"
          " bool keeps_statistics) -> (Tensor, Tensor, Tensor)",
          on_the_cpu(ctorch::layer_norm));
    m.def("layer_norm_backward(Tensor gradient, Tensor? sum_gradient, Tensor sum, Tensor weight,"
          " Tensor statistics, bool needs_input, bool needs_weight, bool needs_bias)"
          " -> (Tensor, Tensor, Tensor)",
          on_the_cpu(ctorch::layer_norm_backward));
    m.def("rotary(Tensor x, Tensor cosine, Tensor sine, bool backward) -> Tensor",
          on_the_cpu(ctorch::rotary));
    m.def("elementwise(Tensor x, str function) -> Tensor", on_the_cpu(ctorch::elementwise));
    m.def("elementwise_backward(Tensor gradient, Tensor x, str function) -> Tensor",
          on_the_cpu(ctorch::elementwise_backward));
    m.def("gated(Tensor gate, Tensor up, str function) -> Tensor", on_the_cpu(ctorch::gated));
    m.def("gated_backward(Tensor gradient, Tensor gate, Tensor up, str function) -> (Tensor, Tensor)",
          on_the_cpu(ctorch::gated_backward));
}
