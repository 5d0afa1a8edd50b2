// HiRA's update W₀ ⊙ (1 + B A), formed where it is used, and the gradients at its factors from G, that at
// the update (Huang et al. 2025, eq. 4):
//
//     H = W₀ ⊙ G,  ∂A = Bᵀ H,  ∂B = H Aᵀ
//
// B A and H exist in registers and in the first cache alone.
#include "instruction_sets.h"
#include "operators.h"
#include "thin_products.h"
#include "threads.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace ctorch;

template <class Weight, class Output>
struct HiraUpdate {
    ThinProduct product;
    const Weight *weight;
    int64_t weight_stride;
    bool adds_weight; // W₀ ⊙ (1 + B A), else W₀ ⊙ (B A)
    Output *out;      // null where only gradients are asked for
    int64_t out_stride, columns;

    /// The rows from one on, of a weight of their own.
    HiraUpdate from(int64_t row, const Weight *own) const {
        return {product.from(row), own, columns, adds_weight,
                out == nullptr ? nullptr : out + row * out_stride, out_stride, columns};
    }
};

template <class Element>
struct HiraGradients {
    const Element *gradient;
    int64_t gradient_stride;
    float *left_gradient; // added to

    /// The rows from one on.
    HiraGradients from(int64_t row, int64_t rank) const {
        return {gradient + row * gradient_stride, gradient_stride, left_gradient + row * rank};
    }
};

#define KERNEL_FILE "hira_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

PanelPacking active_packing() { return FOR_ACTIVE_INSTRUCTION_SET(packing); }

template <class Weight, class Output>
HiraUpdate<Weight, Output> update_of(const ThinProduct &product, const at::Tensor *weight,
                                     bool adds_weight, const std::optional<at::Tensor> &out,
                                     int64_t columns) {
    return {product, weight ? weight->const_data_ptr<Weight>() : nullptr,
            weight ? weight->stride(0) : 0, adds_weight,
            out ? out->mutable_data_ptr<Output>() : nullptr, out ? out->stride(0) : 0, columns};
}

template <class Weight, class Output>
void form(const at::Tensor &weight, const at::Tensor &b, const at::Tensor &a, bool adds_weight,
          const at::Tensor &out) {
    const at::Tensor panels = packed(a, active_packing());
    const auto job =
        update_of<Weight, Output>(product_of(b, panels), &weight, adds_weight, out, out.size(1));
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(update_kernel<Weight, Output>);
    in_parallel(out.size(0), grain_of(out.size(1)),
                [&](int64_t begin, int64_t end) { kernel(job, begin, end); });
}

/// Of a weight of quantised blocks, whose rows are read where they are needed.
template <class Output>
void form(const StoredRows &weight, const at::Tensor &b, const at::Tensor &a, bool adds_weight,
          const at::Tensor &out) {
    const PanelPacking packing = active_packing();
    const at::Tensor panels = packed(a, packing);
    const auto job =
        update_of<float, Output>(product_of(b, panels), nullptr, adds_weight, out, out.size(1));
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(update_kernel<float, Output>);
    in_parallel(out.size(0), grain_of(out.size(1)), [&](int64_t begin, int64_t end) {
        weight.for_parts(begin, end, packing.rows, [&](int64_t first, int64_t last, const float *own) {
            kernel(job.from(first, own), 0, last - first);
        });
    });
}

template <class Weight, class Element>
void add_gradients(const at::Tensor &gradient, const at::Tensor *weight,
                   const std::optional<StoredRows> &stored, const at::Tensor &b,
                   const at::Tensor &a, bool adds_weight, const at::Tensor &at_b,
                   const at::Tensor &at_a, const std::optional<at::Tensor> &out) {
    const PanelPacking packing = active_packing();
    const at::Tensor panels = packed(a, packing);
    const auto update = update_of<Weight, Element>(product_of(b, panels), weight, adds_weight, out,
                                                   gradient.size(1));
    const HiraGradients<Element> job{gradient.const_data_ptr<Element>(), gradient.stride(0),
                                     at_b.mutable_data_ptr<float>()};
    const int64_t rows = gradient.size(0), columns = gradient.size(1);
    const int64_t parts = parts_of(rows, columns);
    // Each part of the rows sums up gradients at the right factor of its own.
    const at::Tensor sums = at::zeros({parts, panels.numel()}, panels.options());
    float *const at_panels = sums.mutable_data_ptr<float>();
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(gradients_kernel<Weight, Element>);
    in_parallel(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
            float *const sum = at_panels + part * panels.numel();
            const int64_t top = rows * part / parts, bottom = rows * (part + 1) / parts;
            if constexpr (std::is_same_v<Weight, float>)
                if (stored) {
                    stored->for_parts(top, bottom, packing.chunk, [&](int64_t first, int64_t last,
                                                                      const float *own) {
                        kernel(update.from(first, own), job.from(first, a.size(0)), 0, last - first,
                               sum);
                    });
                    continue;
                }
            kernel(update, job, top, bottom, sum);
        }
    });
    for (int64_t part = 0; part < parts; ++part)
        packing.add(at_panels + part * panels.numel(), a.size(0), columns,
                    at_a.mutable_data_ptr<float>());
}

} // namespace

namespace ctorch {

void hira_update(const at::Tensor &out, const at::Tensor &weight, const at::Tensor &b,
                 const at::Tensor &a, bool adds_weight, std::optional<int64_t> weight_format) {
    check_product("hira_update", b, a, out);
    const auto stored = stored_rows("hira_update", weight, weight_format, out);
    if (out.numel() == 0) return;
    if (stored)
        return for_element_type(out, [&]<class Output>(Output) {
            form<Output>(*stored, b, a, adds_weight, out);
        });
    for_types(weight, out, [&]<class Weight, class Output>(Weight, Output) {
        form<Weight, Output>(weight, b, a, adds_weight, out);
    });
}

void hira_gradients(const at::Tensor &gradient, const at::Tensor &weight, const at::Tensor &b,
                    const at::Tensor &a, const at::Tensor &at_b, const at::Tensor &at_a,
                    const std::optional<at::Tensor> &out, bool adds_weight,
                    std::optional<int64_t> weight_format) {
    check_product("hira_gradients", b, a, gradient);
    check_product("hira_gradients", at_b, at_a, gradient);
    TORCH_CHECK(at_b.sizes() == b.sizes(),
                "hira_gradients: gradients have not the shapes of the factors");
    TORCH_CHECK(!out || (out->sizes() == gradient.sizes() && has_plain_rows(*out)
                         && out->scalar_type() == gradient.scalar_type()),
                "hira_gradients: the update is not like the gradient, ", gradient.sizes());
    const auto stored = stored_rows("hira_gradients", weight, weight_format, gradient);
    if (gradient.numel() == 0) return;
    if (stored)
        return for_element_type(gradient, [&]<class Element>(Element) {
            add_gradients<float, Element>(gradient, nullptr, stored, b, a, adds_weight, at_b, at_a,
                                          out);
        });
    for_types(weight, gradient, [&]<class Weight, class Element>(Weight, Element) {
        add_gradients<Weight, Element>(gradient, &weight, stored, b, a, adds_weight, at_b, at_a, out);
    });
}

} // namespace ctorch
