// The operators of this package, by family: see operators.cpp for how they are called.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>
#include <tuple>

namespace ctorch {

// ---- Dual LoRA (dual_lora.cpp) ----

/// out (rows, columns) = weight + scale · ReLU(b a) ⊙ Sign(d c); b (rows, r₁), a (r₁, columns), d (rows,
/// r₂), c (r₂, columns). A weight of quantised blocks has the number of its format.
void dual_lora_update(const at::Tensor &out, const std::optional<at::Tensor> &weight,
                      const at::Tensor &b, const at::Tensor &a, const at::Tensor &d,
                      const at::Tensor &c, double scale, std::optional<int64_t> weight_format);

/// Adds to at_b, at_a, at_d and at_c the gradients at the factors from that at the update (rows,
/// columns). The gradient at Sign, or with `clips_update` that at the update, is held within ±`bound`,
/// which may be infinite. On the way `out`, if given, becomes the update, onto `weight` if given.
void dual_lora_gradients(const at::Tensor &gradient, const at::Tensor &b, const at::Tensor &a,
                         const at::Tensor &d, const at::Tensor &c, double scale, double bound,
                         bool clips_update, const at::Tensor &at_b, const at::Tensor &at_a,
                         const at::Tensor &at_d, const at::Tensor &at_c,
                         const std::optional<at::Tensor> &out, const std::optional<at::Tensor> &weight,
                         std::optional<int64_t> weight_format);

// ---- HiRA (hira.cpp) ----

/// out (rows, columns) = weight ⊙ (1 + b a), or weight ⊙ (b a) unless it adds the weight; b (rows, r), a (r,
/// columns). A weight of quantised blocks has the number of its format.
void hira_update(const at::Tensor &out, const at::Tensor &weight, const at::Tensor &b,
                 const at::Tensor &a, bool adds_weight, std::optional<int64_t> weight_format);

/// Adds to at_b and at_a the gradients at the factors from that at the update (rows, columns). On the way
/// `out`, if given, becomes the update.
void hira_gradients(const at::Tensor &gradient, const at::Tensor &weight, const at::Tensor &b,
                    const at::Tensor &a, const at::Tensor &at_b, const at::Tensor &at_a,
                    const std::optional<at::Tensor> &out, bool adds_weight,
                    std::optional<int64_t> weight_format);

// ---- quantised blocks (block_formats.cpp) ----

/// out (rows, columns) = the numbers of blocks (rows, bytes of a row) in the format of a number.
void dequantize(const at::Tensor &out, const at::Tensor &blocks, int64_t format);
/// The blocks (rows, bytes of a row) that numbers (rows, columns) become.
at::Tensor quantize(const at::Tensor &x, int64_t format);

// ---- scales of columns (column_scale.cpp) ----

/// out (T, d) = x ⊙ factors + bias, with factors (d) in float32; `out` may be x itself.
void scale_columns(const at::Tensor &out, const at::Tensor &x, const at::Tensor &factors,
                   const std::optional<at::Tensor> &bias);
/// The gradients at x and at the factors.
std::tuple<at::Tensor, at::Tensor> scale_columns_backward(
    const at::Tensor &gradient, const at::Tensor &x, const at::Tensor &factors);

// ---- folds (fold.cpp) ----

/// The sums (T, narrow) of the elements of wide (T, k) that belong to each narrow one. `pieces` are five
/// numbers each: the first wide and the first narrow element, how many narrow ones, how many wide ones to
/// each, and 1 where those are neighbours.
at::Tensor fold_sum(const at::Tensor &wide, int64_t narrow_size, at::IntArrayRef pieces);
/// Adds narrow (T, r) to all the elements of wide (T, d) that belong to it.
void fold_add(const at::Tensor &wide, const at::Tensor &narrow, at::IntArrayRef pieces);

// ---- paths of low rank (low_rank.cpp) ----

/// y (T, d) += scale · (x downᵀ) upᵀ; x (T, k), down (r, k), up (d, r). Returns what the backward needs of
/// x downᵀ.
at::Tensor low_rank(const at::Tensor &y, const at::Tensor &x, const at::Tensor &down,
                    const at::Tensor &up, double scale);
/// The gradients at down and up from that at y (T, d); that at x is added to `at_x`, if given.
std::tuple<at::Tensor, at::Tensor> low_rank_backward(
    const at::Tensor &gradient, const at::Tensor &x, const at::Tensor &inner, const at::Tensor &down,
    const at::Tensor &up, double scale, const std::optional<at::Tensor> &at_x);

// ---- attention (attention.cpp) ----

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

// ---- loss (cross_entropy.cpp) ----

/// -Σ t log softmax(logits) of each row (N, classes) for its target t = (1 - label_smoothing) onehot(label)
/// + label_smoothing / classes, (N) in float32; with a scale, the logits become the gradient of the
/// losses' sum times it.
at::Tensor cross_entropy(const at::Tensor &logits, const at::Tensor &labels,
                         std::optional<double> gradient_scale, double label_smoothing);

} // namespace ctorch
