// The operators of this package, by family: see operators.cpp for how they are called.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace ctorch {

/// out (rows, columns) = weight + scale · ReLU(b a) ⊙ Sign(d c); b (rows, r₁), a (r₁, columns), d (rows,
/// r₂), c (r₂, columns).
void dual_lora_update(const at::Tensor &out, const std::optional<at::Tensor> &weight,
                      const at::Tensor &b, const at::Tensor &a, const at::Tensor &d,
                      const at::Tensor &c, double scale);

/// Adds to at_b, at_a, at_d and at_c the gradients at the factors from that at the update (rows,
/// columns). `clips_update` clips the gradient at the update, instead of that at Sign.
void dual_lora_gradients(const at::Tensor &gradient, const at::Tensor &b, const at::Tensor &a,
                         const at::Tensor &d, const at::Tensor &c, double scale, bool clips_update,
                         const at::Tensor &at_b, const at::Tensor &at_a, const at::Tensor &at_d,
                         const at::Tensor &at_c);

} // namespace ctorch
