// The operators of this package, by family: see operators.cpp for how they are called.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

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

/// softmax(scale q kᵀ) v and log Σ e^(scale q kᵀ) (B, H, T) in float32. query (B, H, T, D), key and value
/// (B, G, T, D) with H a multiple of G, of float32 or bfloat16, heads contiguous; `sequences` are triples
/// of a row, a start and a length, whose tokens see one another alone: all of them, or, if `causal`,
/// those up to the query's own, of which a `window` other than 0 leaves the last so many.
std::tuple<at::Tensor, at::Tensor> attention(const at::Tensor &query, const at::Tensor &key,
                                             const at::Tensor &value, at::IntArrayRef sequences,
                                             bool causal, int64_t window, double scale);

/// The gradients at query, key and value.
std::tuple<at::Tensor, at::Tensor, at::Tensor> attention_backward(
    const at::Tensor &gradient, const at::Tensor &query, const at::Tensor &key,
    const at::Tensor &value, const at::Tensor &out, const at::Tensor &log_sums,
    at::IntArrayRef sequences, bool causal, int64_t window, double scale);

} // namespace ctorch
