// Products of a thin left factor (rows, rank) and a thin right one (rank, columns), whose kernels take the
// latter in panels: what their operators share.
#pragma once

#include "checks.h"
#include "stored_rows.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ctorch {

/// left (rows, rank) · right (rank, columns), the latter in panels.
struct ThinProduct {
    const float *left, *panels;
    int64_t rank;

    /// The rows from one on.
    ThinProduct from(int64_t row) const { return {left + row * rank, panels, rank}; }
};

/// How an instruction set's kernels lay panels out.
struct PanelPacking {
    int64_t (*panels)(int64_t columns);
    void (*pack)(const float *right, int64_t rank, int64_t columns, float *panels);
    void (*add)(const float *panels, int64_t rank, int64_t columns, float *matrix);
    int64_t width;
    /// Rows of a tile, and of a gradient's chunk.
    int64_t rows, chunk;
};

inline at::Tensor packed(const at::Tensor &right, const PanelPacking &packing) {
    const int64_t rank = right.size(0), columns = right.size(1);
    at::Tensor panels = at::empty({packing.panels(columns), rank, packing.width}, right.options());
    packing.pack(right.const_data_ptr<float>(), rank, columns, panels.mutable_data_ptr<float>());
    return panels;
}

inline ThinProduct product_of(const at::Tensor &left, const at::Tensor &panels) {
    return {left.const_data_ptr<float>(), panels.const_data_ptr<float>(), left.size(1)};
}

/// Rows whose work is worth a thread.
inline int64_t grain_of(int64_t columns) {
    return std::max<int64_t>(1, 65536 / std::max<int64_t>(1, columns));
}

/// Parts of the rows for as many threads as are worth it.
inline int64_t parts_of(int64_t rows, int64_t columns) {
    return std::clamp<int64_t>(rows / grain_of(columns), 1, at::get_num_threads());
}

inline bool is_factor(const at::Tensor &factor) {
    return factor.dim() == 2 && factor.is_contiguous() && factor.scalar_type() == at::kFloat;
}

inline bool has_plain_rows(const at::Tensor &matrix) {
    return matrix.dim() == 2 && (matrix.size(1) < 2 || matrix.stride(1) == 1);
}

/// left (rows, rank) · right (rank, columns) has the sizes of a matrix, whose rows are contiguous.
inline void check_product(const char *name, const at::Tensor &left, const at::Tensor &right,
                          const at::Tensor &like) {
    TORCH_CHECK(is_factor(left) && is_factor(right), name,
                ": factors must be contiguous matrices of float32");
    TORCH_CHECK(has_plain_rows(like), name, ": rows must be contiguous");
    TORCH_CHECK(left.size(0) == like.size(0) && right.size(1) == like.size(1)
                    && right.size(0) == left.size(1),
                name, ": factors ", left.sizes(), " ", right.sizes(), " do not make a matrix ",
                like.sizes());
}

/// A weight, if there is one, and the update of it that is written.
inline void check_weight(const char *name, const std::optional<at::Tensor> &weight,
                         const at::Tensor &out) {
    TORCH_CHECK(!weight || (weight->sizes() == out.sizes() && has_plain_rows(*weight)), name,
                ": the weight has not the shape of the update, ", out.sizes());
    if (weight) check_kernel_type(name, *weight);
    check_kernel_type(name, out);
}

/// The rows of a weight of quantised blocks, which a format tells, or of float16; nothing for a weight of
/// the kernels' own types or none, which are checked.
inline std::optional<StoredRows> stored_rows(const char *name, const std::optional<at::Tensor> &weight,
                                             std::optional<int64_t> format, const at::Tensor &out) {
    check_kernel_type(name, out);
    if (weight && format) {
        TORCH_CHECK(weight->size(0) == out.size(0), name,
                    ": the weight has not the rows of the update, ", out.size(0));
        return StoredRows(name, *weight, *format, out.size(1));
    }
    if (weight && weight->scalar_type() == at::kHalf && weight->device().is_cpu()
        && weight->sizes() == out.sizes() && has_plain_rows(*weight))
        return StoredRows(*weight);
    check_weight(name, weight, out);
    return std::nullopt;
}

/// Runs body<Weight, Output>(): the types of a weight, if there is one, and of its update.
template <class Body>
void for_types(const std::optional<at::Tensor> &weight, const at::Tensor &out, const Body &body) {
    const auto type = weight ? weight->scalar_type() : out.scalar_type();
    const bool half = out.scalar_type() == at::kBFloat16;
    if (type == at::kFloat && half) body(float(), c10::BFloat16());
    else if (type == at::kFloat) body(float(), float());
    else if (half) body(c10::BFloat16(), c10::BFloat16());
    else body(c10::BFloat16(), float());
}

} // namespace ctorch
