// The path of low rank beside a layer, y += s (x Aᵀ) Bᵀ, and its gradients (Hu et al. 2021, eq. 3):
//
//     h = x Aᵀ,  ∂h = s g B,  ∂x += ∂h A,  ∂A = ∂hᵀ x,  ∂B = s gᵀ h
//
// LibTorch's products take a start of the threads and a pass over memory each; here a block of tokens
// goes through all of them while it is in the cache.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "threads.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

struct LowRankSizes {
    int64_t tokens, inputs, outputs, rank, threads;
    float scale;
};

#define KERNEL_FILE "low_rank_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

LowRankSizes sizes_of(const at::Tensor &x, const at::Tensor &y, const at::Tensor &down,
                      const at::Tensor &up, double scale) {
    ctorch::check_kernel_type("low_rank", x);
    TORCH_CHECK(x.dim() == 2 && y.dim() == 2 && x.size(0) == y.size(0) && x.is_contiguous()
                    && y.is_contiguous() && x.scalar_type() == y.scalar_type(),
                "low_rank: inputs and outputs must be contiguous matrices of one type and as many rows");
    TORCH_CHECK(down.dim() == 2 && up.dim() == 2 && down.is_contiguous() && up.is_contiguous()
                    && down.scalar_type() == at::kFloat && up.scalar_type() == at::kFloat,
                "low_rank: factors must be contiguous matrices of float32");
    TORCH_CHECK(down.size(1) == x.size(1) && up.size(0) == y.size(1) && down.size(0) == up.size(1),
                "low_rank: factors ", up.sizes(), " ", down.sizes(), " do not lead from ", x.sizes(),
                " to ", y.sizes());
    return {x.size(0), x.size(1), y.size(1), down.size(0), at::get_num_threads(),
            static_cast<float>(scale)};
}

} // namespace

namespace ctorch {

at::Tensor low_rank(const at::Tensor &y, const at::Tensor &x, const at::Tensor &down,
                    const at::Tensor &up, double scale) {
    const LowRankSizes sizes = sizes_of(x, y, down, up, scale);
    const int64_t padded = FOR_ACTIVE_INSTRUCTION_SET(padded_rank)(sizes.rank);
    at::Tensor inner = at::empty({sizes.tokens, padded}, down.options());
    for_element_type(x, [&]<class Element>(Element) {
        FOR_ACTIVE_INSTRUCTION_SET(low_rank_forward_kernel<Element>)
        (sizes, down.const_data_ptr<float>(), up.const_data_ptr<float>(), x.const_data_ptr<Element>(),
         y.mutable_data_ptr<Element>(), inner.mutable_data_ptr<float>());
    });
    return inner;
}

std::tuple<at::Tensor, at::Tensor> low_rank_backward(
    const at::Tensor &gradient, const at::Tensor &x, const at::Tensor &inner, const at::Tensor &down,
    const at::Tensor &up, double scale, const std::optional<at::Tensor> &at_x) {
    const LowRankSizes sizes = sizes_of(x, gradient, down, up, scale);
    const int64_t padded = FOR_ACTIVE_INSTRUCTION_SET(padded_rank)(sizes.rank);
    TORCH_CHECK(inner.is_contiguous() && inner.scalar_type() == at::kFloat && inner.dim() == 2
                    && inner.size(0) == sizes.tokens && inner.size(1) == padded,
                "low_rank: what the backward is given is not what the forward gave");
    TORCH_CHECK(!at_x || (at_x->sizes() == x.sizes() && at_x->is_contiguous()
                          && at_x->scalar_type() == x.scalar_type()),
                "low_rank: the gradient at the input is not like the input");
    at::Tensor at_down = at::zeros(down.sizes(), down.options().requires_grad(false));
    at::Tensor at_up = at::zeros(up.sizes(), up.options().requires_grad(false));
    for_element_type(x, [&]<class Element>(Element) {
        FOR_ACTIVE_INSTRUCTION_SET(low_rank_backward_kernel<Element>)
        (sizes, down.const_data_ptr<float>(), up.const_data_ptr<float>(),
         gradient.const_data_ptr<Element>(), x.const_data_ptr<Element>(),
         inner.const_data_ptr<float>(), at_x ? at_x->mutable_data_ptr<Element>() : nullptr,
         at_down.mutable_data_ptr<float>(), at_up.mutable_data_ptr<float>());
    });
    return {at_down, at_up};
}

} // namespace ctorch
