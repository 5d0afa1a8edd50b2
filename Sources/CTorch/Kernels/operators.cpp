// The operators of this package, `duallora::*`, which are called as LibTorch's own are.
//
// They compute on the CPU and record no graph: what is differentiated stands in Swift, where the
// forward and the backward of a function are two operators. The dispatcher checks types and counts of
// arguments against the schemas; each operator checks shapes.
#include "operators.h"

#include <torch/library.h>

namespace {

template <class Function>
torch::CppFunction on_cpu(Function *function) {
    return torch::dispatch(c10::DispatchKey::CPU, function);
}

} // namespace

TORCH_LIBRARY(duallora, m) {
    m.def("dual_lora_update(Tensor(a!) out, Tensor? weight, Tensor b, Tensor a, Tensor d, Tensor c, "
          "float scale, int? weight_format=None) -> ()",
          on_cpu(ctorch::dual_lora_update));
    m.def("dual_lora_gradients(Tensor gradient, Tensor b, Tensor a, Tensor d, Tensor c, float scale, "
          "float bound, bool clips_update, Tensor(a!) at_b, Tensor(b!) at_a, Tensor(c!) at_d, "
          "Tensor(d!) at_c, Tensor(e!)? out=None, Tensor? weight=None, int? weight_format=None) -> ()",
          on_cpu(ctorch::dual_lora_gradients));
    m.def("hira_update(Tensor(a!) out, Tensor weight, Tensor b, Tensor a, bool adds_weight, "
          "int? weight_format=None) -> ()",
          on_cpu(ctorch::hira_update));
    m.def("hira_gradients(Tensor gradient, Tensor weight, Tensor b, Tensor a, Tensor(a!) at_b, "
          "Tensor(b!) at_a, Tensor(c!)? out=None, bool adds_weight=True, int? weight_format=None) -> ()",
          on_cpu(ctorch::hira_gradients));
    m.def("dequantize(Tensor(a!) out, Tensor blocks, int format) -> ()", on_cpu(ctorch::dequantize));
    m.def("quantize(Tensor x, int format) -> Tensor", on_cpu(ctorch::quantize));
    m.def("scale_columns(Tensor(a!) out, Tensor x, Tensor factors, Tensor? bias=None) -> ()",
          on_cpu(ctorch::scale_columns));
    m.def("scale_columns_backward(Tensor gradient, Tensor x, Tensor factors) -> (Tensor, Tensor)",
          on_cpu(ctorch::scale_columns_backward));
    m.def("fold_sum(Tensor wide, int narrow, int[] pieces) -> Tensor", on_cpu(ctorch::fold_sum));
    m.def("fold_add(Tensor(a!) wide, Tensor narrow, int[] pieces) -> ()", on_cpu(ctorch::fold_add));
    m.def("low_rank(Tensor(a!) y, Tensor x, Tensor down, Tensor up, float scale) -> Tensor",
          on_cpu(ctorch::low_rank));
    m.def("low_rank_backward(Tensor gradient, Tensor x, Tensor inner, Tensor down, Tensor up, "
          "float scale, Tensor(a!)? at_x=None) -> (Tensor, Tensor)",
          on_cpu(ctorch::low_rank_backward));
    m.def("attention(Tensor query, Tensor key, Tensor value, int[] sequences, bool causal, int window, "
          "float scale) -> (Tensor, Tensor)",
          on_cpu(ctorch::attention));
    m.def("attention_backward(Tensor gradient, Tensor query, Tensor key, Tensor value, Tensor out, "
          "Tensor log_sums, int[] sequences, bool causal, int window, float scale) "
          "-> (Tensor, Tensor, Tensor)",
          on_cpu(ctorch::attention_backward));
    m.def("rms_norm(Tensor x, Tensor? residual, Tensor weight, float epsilon, bool keeps_statistics)"
          " -> (Tensor, Tensor, Tensor)",
          on_cpu(ctorch::rms_norm));
    m.def("rms_norm_backward(Tensor gradient, Tensor? sum_gradient, Tensor sum, Tensor weight,"
          " Tensor statistics, bool needs_input, bool needs_weight) -> (Tensor, Tensor)",
          on_cpu(ctorch::rms_norm_backward));
    m.def("layer_norm(Tensor x, Tensor? residual, Tensor weight, Tensor bias, float epsilon,"
          " bool keeps_statistics) -> (Tensor, Tensor, Tensor)",
          on_cpu(ctorch::layer_norm));
    m.def("layer_norm_backward(Tensor gradient, Tensor? sum_gradient, Tensor sum, Tensor weight,"
          " Tensor statistics, bool needs_input, bool needs_weight, bool needs_bias)"
          " -> (Tensor, Tensor, Tensor)",
          on_cpu(ctorch::layer_norm_backward));
    m.def("rotary(Tensor x, Tensor cosine, Tensor sine, bool backward) -> Tensor",
          on_cpu(ctorch::rotary));
    m.def("elementwise(Tensor x, str function) -> Tensor", on_cpu(ctorch::elementwise));
    m.def("elementwise_backward(Tensor gradient, Tensor x, str function) -> Tensor",
          on_cpu(ctorch::elementwise_backward));
    m.def("gated(Tensor gate, Tensor up, str function) -> Tensor", on_cpu(ctorch::gated));
    m.def("gated_backward(Tensor gradient, Tensor gate, Tensor up, str function) -> (Tensor, Tensor)",
          on_cpu(ctorch::gated_backward));
    m.def("cross_entropy_(Tensor(a!) logits, Tensor labels, float? gradient_scale=None, "
          "float label_smoothing=0.) -> Tensor",
          on_cpu(ctorch::cross_entropy));
}
