// The operators of this package, by family: see operators.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>
#include <tuple>

namespace ctorch {

// ---- norms over the last dimension (norms.cpp) ----

/// (y, sum, statistics): sum = x + residual, undefined without a residual; y, its norm; and each row's
/// 1 / √(mean square + ε) in float32, undefined unless kept for the backward.
std::tuple<at::Tensor, at::Tensor, at::Tensor> rms_norm(
    const at::Tensor &x, const std::optional<at::Tensor> &residual, const at::Tensor &weight,
    double epsilon, bool keeps_statistics);
/// The gradients at the sum and the weight, those that are needed, from those at y and the sum.
std::tuple<at::Tensor, at::Tensor> rms_norm_backward(
    const at::Tensor &gradient, const std::optional<at::Tensor> &sum_gradient, const at::Tensor &sum,
    const at::Tensor &weight, const at::Tensor &statistics, bool needs_input, bool needs_weight);
/// As rms_norm; the statistics are all means, then all 1 / √(variance + ε).
std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm(
    const at::Tensor &x, const std::optional<at::Tensor> &residual, const at::Tensor &weight,
    const at::Tensor &bias, double epsilon, bool keeps_statistics);
/// The gradients at the sum, the weight and the bias.
std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_backward(
    const at::Tensor &gradient, const std::optional<at::Tensor> &sum_gradient, const at::Tensor &sum,
    const at::Tensor &weight, const at::Tensor &statistics, bool needs_input, bool needs_weight,
    bool needs_bias);

// ---- rotary positions (rotary.cpp) ----

/// x (B, T, H, D) turned by cosine and sine, (..., T, D) for all rows or each; `backward` turns back.
at::Tensor rotary(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine,
                  bool backward);

// ---- activations (activations.cpp) ----

/// f(x) for f of silu, gelu, gelu_tanh, relu, tanh, erf, exp.
at::Tensor elementwise(const at::Tensor &x, std::string_view function);
at::Tensor elementwise_backward(const at::Tensor &gradient, const at::Tensor &x,
                                std::string_view function);
/// f(gate) up
at::Tensor gated(const at::Tensor &gate, const at::Tensor &up, std::string_view function);
/// The gradients at gate and up.
std::tuple<at::Tensor, at::Tensor> gated_backward(const at::Tensor &gradient, const at::Tensor &gate,
                                                  const at::Tensor &up, std::string_view function);

} // namespace ctorch
