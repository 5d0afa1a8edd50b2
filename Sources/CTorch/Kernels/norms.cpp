// RMS norm and layer norm over rows, each with an optional residual that is added first: the sum and
// its norm in one pass, and one pass backward.
//
// Zhang and Sennrich 2019, arXiv:1910.07467; Ba et al. 2016, arXiv:1607.06450. Sums are rounded to
// their type before they are normalised, as they are where the two are apart; the rest is computed in
// float32 and rounded once.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "threads.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace {

/// Rows of `size` numbers, one behind the other. What may be absent is null.
template <class Element>
struct NormForward {
    const Element *x, *residual, *weight, *bias;
    /// x + residual, where there is a residual.
    Element *sum;
    Element *y;
    /// A number a row, where they are kept: the mean, and 1 / √(variance + ε); or 1 / √(mean square +
    /// ε) alone.
    float *mean, *factor;
    int64_t size;
    double epsilon;
};

template <class Element>
struct NormBackward {
    const Element *gradient, *sum_gradient, *sum, *weight;
    const float *mean, *factor;
    Element *input_gradient;
    int64_t size;
};

/// Of rows begin..<end. A norm that subtracts the mean has a bias, the other has none.
template <class Element>
struct NormKernels {
    void (*forward)(const NormForward<Element> &, int64_t begin, int64_t end);
    /// Adds to the gradients at weight and bias, where they are not null.
    using Backward = void(const NormBackward<Element> &, int64_t begin, int64_t end,
                          float *weight_gradient, float *bias_gradient);
    Backward *root_backward, *centred_backward;
};

#define KERNEL_FILE "norms_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

using ctorch::check_like;

int64_t grain_of(int64_t size) { return std::max<int64_t>(1, 16384 / size); }

void check_input(const char *name, const at::Tensor &x, const at::Tensor &weight) {
    ctorch::check_kernel_type(name, x);
    TORCH_CHECK(x.dim() > 0 && x.size(-1) > 0, name, ": rows of no numbers, ", x.sizes());
    check_like(name, "the weight", weight, x, {x.size(-1)});
}

template <class Element>
void run_forward(const at::Tensor &x, const at::Tensor &residual, const at::Tensor &weight,
                 const at::Tensor &bias, double epsilon, const at::Tensor &sum, const at::Tensor &y,
                 const at::Tensor &statistics) {
    const int64_t size = x.size(-1), rows = x.numel() / size;
    using ctorch::data, ctorch::mutable_data;
    float *kept = mutable_data<float>(statistics);
    const bool centres = bias.defined();
    const NormForward<Element> job{
        data<Element>(x), data<Element>(residual), data<Element>(weight), data<Element>(bias),
        mutable_data<Element>(sum), mutable_data<Element>(y), centres ? kept : nullptr,
        kept != nullptr && centres ? kept + rows : kept, size, epsilon};
    const auto forward = FOR_ACTIVE_INSTRUCTION_SET(norm_kernels<Element>).forward;
    ctorch::in_parallel(rows, grain_of(size),
                        [&](int64_t begin, int64_t end) { forward(job, begin, end); });
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> norm(
    const char *name, const at::Tensor &input, const std::optional<at::Tensor> &residual,
    const at::Tensor &weight, const at::Tensor &bias, double epsilon, bool keeps_statistics) {
    check_input(name, input, weight);
    if (residual) check_like(name, "the residual", *residual, input, input.sizes());
    const at::Tensor x = input.contiguous(), y = at::empty(x.sizes(), x.options());
    const at::Tensor more = residual ? residual->contiguous() : at::Tensor();
    const at::Tensor sum = residual ? at::empty(x.sizes(), x.options()) : at::Tensor();
    at::Tensor statistics;
    if (keeps_statistics)
        statistics = at::empty({bias.defined() ? 2 : 1, x.numel() / x.size(-1)},
                               x.options().dtype(at::kFloat));
    ctorch::for_element_type(x, [&](auto zero) {
        run_forward<decltype(zero)>(x, more, weight.contiguous(), bias, epsilon, sum, y, statistics);
    });
    return {y, sum, statistics};
}

/// Gradients at the sum, the weight and the bias, where they are needed.
struct Gradients {
    at::Tensor input, weight, bias;
};

/// Where weights train, parts of the rows have sums of their own, whose number does not depend on that
/// of the threads, so that the total does not either.
template <class Element>
void run_backward(const NormBackward<Element> &job, int64_t rows, bool centres, const at::Tensor &like,
                  bool needs_weight, bool needs_bias, Gradients &gradients) {
    constexpr auto kernels = [] { return FOR_ACTIVE_INSTRUCTION_SET(norm_kernels<Element>); };
    const auto backward = centres ? kernels().centred_backward : kernels().root_backward;
    if (!needs_weight && !needs_bias) {
        ctorch::in_parallel(rows, grain_of(job.size), [&](int64_t begin, int64_t end) {
            backward(job, begin, end, nullptr, nullptr);
        });
        return;
    }
    const int64_t part = std::max<int64_t>(16, (rows + 63) / 64), parts = (rows + part - 1) / part;
    const auto sums = [&](bool needed) {
        return needed ? at::zeros({parts, job.size}, like.options().dtype(at::kFloat)) : at::Tensor();
    };
    const at::Tensor weights = sums(needs_weight), biases = sums(needs_bias);
    float *weight = ctorch::mutable_data<float>(weights), *bias = ctorch::mutable_data<float>(biases);
    ctorch::in_parallel(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            backward(job, i * part, std::min(rows, (i + 1) * part),
                     weight == nullptr ? nullptr : weight + i * job.size,
                     bias == nullptr ? nullptr : bias + i * job.size);
    });
    if (needs_weight) gradients.weight = weights.sum(0).to(like.scalar_type());
    if (needs_bias) gradients.bias = biases.sum(0).to(like.scalar_type());
}

Gradients norm_backward(const char *name, const at::Tensor &gradient,
                        const std::optional<at::Tensor> &sum_gradient, const at::Tensor &sum,
                        const at::Tensor &weight, const at::Tensor &statistics, bool centres,
                        bool needs_input, bool needs_weight, bool needs_bias) {
    check_input(name, sum, weight);
    check_like(name, "the gradient", gradient, sum, sum.sizes());
    if (sum_gradient) check_like(name, "the sum's gradient", *sum_gradient, sum, sum.sizes());
    const int64_t size = sum.size(-1), rows = sum.numel() / size;
    TORCH_CHECK(statistics.scalar_type() == at::kFloat && statistics.is_contiguous()
                    && statistics.numel() == (centres ? 2 : 1) * rows,
                name, ": statistics ", statistics.sizes(), " for ", rows, " rows");
    Gradients gradients;
    if (needs_input) gradients.input = at::empty(sum.sizes(), sum.options());
    const at::Tensor g = gradient.contiguous(), s = sum.contiguous(), w = weight.contiguous();
    const at::Tensor more = sum_gradient ? sum_gradient->contiguous() : at::Tensor();
    const float *kept = ctorch::data<float>(statistics);
    ctorch::for_element_type(sum, [&](auto zero) {
        using Element = decltype(zero);
        using ctorch::data;
        const NormBackward<Element> job{
            data<Element>(g), data<Element>(more), data<Element>(s), data<Element>(w),
            kept, centres ? kept + rows : kept,
            ctorch::mutable_data<Element>(gradients.input), size};
        run_backward(job, rows, centres, sum, needs_weight, needs_bias, gradients);
    });
    return gradients;
}

} // namespace

namespace ctorch {

std::tuple<at::Tensor, at::Tensor, at::Tensor> rms_norm(
    const at::Tensor &x, const std::optional<at::Tensor> &residual, const at::Tensor &weight,
    double epsilon, bool keeps_statistics) {
    return norm("rms_norm", x, residual, weight, at::Tensor(), epsilon, keeps_statistics);
}

std::tuple<at::Tensor, at::Tensor> rms_norm_backward(
    const at::Tensor &gradient, const std::optional<at::Tensor> &sum_gradient, const at::Tensor &sum,
    const at::Tensor &weight, const at::Tensor &statistics, bool needs_input, bool needs_weight) {
    const Gradients found =
        norm_backward("rms_norm_backward", gradient, sum_gradient, sum, weight, statistics, false,
                      needs_input, needs_weight, false);
    return {found.input, found.weight};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm(
    const at::Tensor &x, const std::optional<at::Tensor> &residual, const at::Tensor &weight,
    const at::Tensor &bias, double epsilon, bool keeps_statistics) {
    check_input("layer_norm", x, weight);
    check_like("layer_norm", "the bias", bias, x, weight.sizes());
    return norm("layer_norm", x, residual, weight, bias.contiguous(), epsilon, keeps_statistics);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> layer_norm_backward(
    const at::Tensor &gradient, const std::optional<at::Tensor> &sum_gradient, const at::Tensor &sum,
    const at::Tensor &weight, const at::Tensor &statistics, bool needs_input, bool needs_weight,
    bool needs_bias) {
    const Gradients found =
        norm_backward("layer_norm_backward", gradient, sum_gradient, sum, weight, statistics, true,
                      needs_input, needs_weight, needs_bias);
    return {found.input, found.weight, found.bias};
}

} // namespace ctorch
