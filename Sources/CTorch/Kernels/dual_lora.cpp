// Dual LoRA's update W₀ + s ReLU(M) ⊙ Sign(Z), M = B A, Z = D C, formed where it is used, and the
// gradients at its factors from G, that at the update (Xu et al., eq. 9 and 12):
//
//     Q = s G ⊙ Sign(Z) ⊙ 1[M > 0],  ∂A = Bᵀ Q,  ∂B = Q Aᵀ
//     P = clip(s G ⊙ ReLU(M), ±β),   ∂C = Dᵀ P,  ∂D = P Cᵀ     (or s clip(G, ±β) ⊙ ReLU(M))
//
// with β = 1, or infinite for no clip.
//
// M, Z, Q and P exist in registers and in the first cache alone. Sums over ranks run in one order
// everywhere, so that the forward, the backward and a merge agree on every sign.
#include "instruction_sets.h"
#include "operators.h"
#include "thin_products.h"
#include "threads.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace ctorch;

template <class Weight, class Output>
struct DualUpdate {
    ThinProduct magnitude, direction;
    float scale;
    const Weight *weight; // null for the update alone
    int64_t weight_stride;
    Output *out;
    int64_t out_stride, columns;

    /// The rows from one on, with a weight of their own.
    DualUpdate from(int64_t row, const Weight *own) const {
        return {magnitude.from(row), direction.from(row), scale, own, columns,
                out + row * out_stride, out_stride, columns};
    }
};

template <class Element>
struct DualGradients {
    ThinProduct magnitude, direction;
    float scale, bound;
    bool clips_update;
    const Element *gradient;
    int64_t gradient_stride, columns;
    float *magnitude_gradient, *direction_gradient; // at the left factors, added to

    /// The rows from one on.
    DualGradients from(int64_t row) const {
        return {magnitude.from(row), direction.from(row), scale, bound, clips_update,
                gradient + row * gradient_stride, gradient_stride, columns,
                magnitude_gradient + row * magnitude.rank,
                direction_gradient + row * direction.rank};
    }
};

#define KERNEL_FILE "dual_lora_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

PanelPacking active_packing() { return FOR_ACTIVE_INSTRUCTION_SET(packing); }

template <class Weight, class Output>
DualUpdate<Weight, Output> update_of(const ThinProduct &magnitude, const ThinProduct &direction,
                                     const std::optional<at::Tensor> &weight, double scale,
                                     const at::Tensor &out) {
    return {magnitude, direction, static_cast<float>(scale),
            weight ? weight->const_data_ptr<Weight>() : nullptr, weight ? weight->stride(0) : 0,
            out.mutable_data_ptr<Output>(), out.stride(0), out.size(1)};
}

template <class Weight, class Output>
void form(const std::optional<at::Tensor> &weight, const at::Tensor &b, const at::Tensor &a,
          const at::Tensor &d, const at::Tensor &c, double scale, const at::Tensor &out) {
    const PanelPacking packing = active_packing();
    const at::Tensor magnitude = packed(a, packing), direction = packed(c, packing);
    const auto job = update_of<Weight, Output>(product_of(b, magnitude), product_of(d, direction),
                                               weight, scale, out);
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(update_kernel<Weight, Output>);
    in_parallel(out.size(0), grain_of(out.size(1)),
                        [&](int64_t begin, int64_t end) { kernel(job, begin, end); });
}

/// Onto a weight of quantised blocks, whose rows are read where they are needed.
template <class Output>
void form(const StoredRows &weight, const at::Tensor &b, const at::Tensor &a, const at::Tensor &d,
          const at::Tensor &c, double scale, const at::Tensor &out) {
    const PanelPacking packing = active_packing();
    const at::Tensor magnitude = packed(a, packing), direction = packed(c, packing);
    const auto job = update_of<float, Output>(product_of(b, magnitude), product_of(d, direction),
                                              std::nullopt, scale, out);
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(update_kernel<float, Output>);
    in_parallel(out.size(0), grain_of(out.size(1)), [&](int64_t begin, int64_t end) {
        weight.for_parts(begin, end, packing.rows, [&](int64_t first, int64_t last, const float *own) {
            kernel(job.from(first, own), 0, last - first);
        });
    });
}

void check_factors(const char *name, const at::Tensor &b, const at::Tensor &a, const at::Tensor &d,
                   const at::Tensor &c, const at::Tensor &like) {
    check_product(name, b, a, like);
    check_product(name, d, c, like);
}

/// Gradients at b, a, d and c, which are added to.
using FactorGradients = std::array<at::Tensor, 4>;

template <class Element, class Weight>
void add_gradients(const at::Tensor &gradient, const at::Tensor &b, const at::Tensor &a,
                   const at::Tensor &d, const at::Tensor &c, double scale, double bound,
                   bool clips_update, const FactorGradients &sums,
                   const std::optional<at::Tensor> &out, const std::optional<at::Tensor> &weight,
                   const std::optional<StoredRows> &stored = std::nullopt) {
    const PanelPacking packing = active_packing();
    const at::Tensor magnitude = packed(a, packing), direction = packed(c, packing);
    const auto &[at_b, at_a, at_d, at_c] = sums;
    const int64_t rows = gradient.size(0), columns = gradient.size(1);
    const DualGradients<Element> job{
        product_of(b, magnitude), product_of(d, direction), static_cast<float>(scale),
        static_cast<float>(bound), clips_update, gradient.const_data_ptr<Element>(),
        gradient.stride(0), columns, at_b.mutable_data_ptr<float>(), at_d.mutable_data_ptr<float>()};
    DualUpdate<Weight, Element> update{};
    if (out)
        update = update_of<Weight, Element>(job.magnitude, job.direction, weight, scale, *out);
    const int64_t parts = parts_of(rows, columns);
    // Each part of the rows sums up gradients at the right factors of its own.
    const at::Tensor magnitude_sums = at::zeros({parts, magnitude.numel()}, magnitude.options());
    const at::Tensor direction_sums = at::zeros({parts, direction.numel()}, direction.options());
    float *const at_magnitude = magnitude_sums.mutable_data_ptr<float>();
    float *const at_direction = direction_sums.mutable_data_ptr<float>();
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(gradients_kernel<Element, Weight>);
    in_parallel(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
            float *const panels = at_magnitude + part * magnitude.numel();
            float *const others = at_direction + part * direction.numel();
            const int64_t top = rows * part / parts, bottom = rows * (part + 1) / parts;
            if constexpr (std::is_same_v<Weight, float>)
                if (out && stored) {
                    stored->for_parts(top, bottom, packing.chunk, [&](int64_t first, int64_t last,
                                                                      const float *own) {
                        const auto onto = update.from(first, own);
                        kernel(job.from(first), &onto, 0, last - first, panels, others);
                    });
                    continue;
                }
            kernel(job, out ? &update : nullptr, top, bottom, panels, others);
        }
    });
    for (int64_t part = 0; part < parts; ++part) {
        packing.add(at_magnitude + part * magnitude.numel(), a.size(0), columns,
                    at_a.mutable_data_ptr<float>());
        packing.add(at_direction + part * direction.numel(), c.size(0), columns,
                    at_c.mutable_data_ptr<float>());
    }
}

} // namespace

namespace ctorch {

void dual_lora_update(const at::Tensor &out, const std::optional<at::Tensor> &weight,
                      const at::Tensor &b, const at::Tensor &a, const at::Tensor &d,
                      const at::Tensor &c, double scale, std::optional<int64_t> weight_format) {
    check_factors("dual_lora_update", b, a, d, c, out);
    const auto stored = stored_rows("dual_lora_update", weight, weight_format, out);
    if (out.numel() == 0) return;
    if (stored)
        return for_element_type(out, [&]<class Output>(Output) {
            form<Output>(*stored, b, a, d, c, scale, out);
        });
    for_types(weight, out, [&]<class Weight, class Output>(Weight, Output) {
        form<Weight, Output>(weight, b, a, d, c, scale, out);
    });
}

void dual_lora_gradients(const at::Tensor &gradient, const at::Tensor &b, const at::Tensor &a,
                         const at::Tensor &d, const at::Tensor &c, double scale, double bound,
                         bool clips_update, const at::Tensor &at_b, const at::Tensor &at_a,
                         const at::Tensor &at_d, const at::Tensor &at_c,
                         const std::optional<at::Tensor> &out, const std::optional<at::Tensor> &weight,
                         std::optional<int64_t> weight_format) {
    check_factors("dual_lora_gradients", b, a, d, c, gradient);
    check_factors("dual_lora_gradients", at_b, at_a, at_d, at_c, gradient);
    TORCH_CHECK(at_b.sizes() == b.sizes() && at_d.sizes() == d.sizes(),
                "dual_lora_gradients: gradients have not the shapes of the factors");
    TORCH_CHECK(!out || (out->sizes() == gradient.sizes() && out->stride(1) == 1
                         && out->scalar_type() == gradient.scalar_type()),
                "dual_lora_gradients: the update is not like the gradient, ", gradient.sizes());
    const auto stored = stored_rows("dual_lora_gradients", weight, weight_format, gradient);
    if (gradient.numel() == 0) return;
    if (stored)
        return for_element_type(gradient, [&]<class Element>(Element) {
            add_gradients<Element, float>(gradient, b, a, d, c, scale, bound, clips_update,
                                          {at_b, at_a, at_d, at_c}, out, std::nullopt, stored);
        });
    for_types(weight, gradient, [&]<class Weight, class Element>(Weight, Element) {
        add_gradients<Element, Weight>(gradient, b, a, d, c, scale, bound, clips_update,
                                       {at_b, at_a, at_d, at_c}, out, weight);
    });
}

} // namespace ctorch
