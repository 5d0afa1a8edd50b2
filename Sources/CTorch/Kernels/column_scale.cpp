// Columns times numbers of their own, y = x ⊙ f + b, and the gradients: ∂x = g ⊙ f, ∂f = Σ g ⊙ x over the
// rows. One pass over memory each way, in float32 whatever the type of x.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "thin_products.h"
#include "threads.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace {

#define KERNEL_FILE "column_scale_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

void check_scale(const char *name, const at::Tensor &x, const at::Tensor &factors) {
    ctorch::check_kernel_type(name, x);
    TORCH_CHECK(x.dim() == 2 && x.is_contiguous(), name, ": a matrix that is not contiguous");
    TORCH_CHECK(factors.scalar_type() == at::kFloat && factors.is_contiguous()
                    && factors.sizes() == x.sizes().slice(1),
                name, ": factors must be as many as the columns, ", x.size(1), ", and of float32");
}

} // namespace

namespace ctorch {

void scale_columns(const at::Tensor &out, const at::Tensor &x, const at::Tensor &factors,
                   const std::optional<at::Tensor> &bias) {
    check_scale("scale_columns", x, factors);
    check_like("scale_columns", "the result", out, x, x.sizes());
    if (bias) check_like("scale_columns", "the bias", *bias, x, factors.sizes());
    TORCH_CHECK(out.is_contiguous() && (!bias || bias->is_contiguous()),
                "scale_columns: the result and the bias must be contiguous");
    const int64_t columns = x.size(1);
    for_element_type(x, [&]<class Element>(Element) {
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(scale_columns_kernel<Element>);
        in_parallel(x.size(0), grain_of(columns), [&](int64_t begin, int64_t end) {
            kernel(x.const_data_ptr<Element>(), factors.const_data_ptr<float>(),
                   bias ? bias->const_data_ptr<Element>() : nullptr, out.mutable_data_ptr<Element>(),
                   columns, begin, end);
        });
    });
}

std::tuple<at::Tensor, at::Tensor> scale_columns_backward(
    const at::Tensor &gradient, const at::Tensor &x, const at::Tensor &factors) {
    check_scale("scale_columns_backward", x, factors);
    check_like("scale_columns_backward", "the gradient", gradient, x, x.sizes());
    TORCH_CHECK(gradient.is_contiguous(), "scale_columns_backward: the gradient must be contiguous");
    const int64_t rows = x.size(0), columns = x.size(1), parts = parts_of(rows, columns);
    const at::Tensor at_x = at::empty_like(x), sums = at::zeros({parts, columns}, factors.options());
    for_element_type(x, [&]<class Element>(Element) {
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(scale_columns_backward_kernel<Element>);
        in_parallel(parts, 1, [&](int64_t begin, int64_t end) {
            for (int64_t part = begin; part < end; ++part)
                kernel(gradient.const_data_ptr<Element>(), x.const_data_ptr<Element>(),
                       factors.const_data_ptr<float>(), at_x.mutable_data_ptr<Element>(),
                       sums.mutable_data_ptr<float>() + part * columns, columns, rows * part / parts,
                       rows * (part + 1) / parts);
        });
    });
    return {at_x, sums.sum(0)};
}

} // namespace ctorch
