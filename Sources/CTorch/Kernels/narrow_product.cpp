// x Wᵀ + b for few rows x, as when text is generated: W is read once, at the speed of the memory.
//
// LibTorch's products reach less than half of that speed at 1 to 16 rows. One kernel is compiled for
// several instruction sets, of which the best that the machine has is chosen when it runs.
#include "../bridge.h"
#include "checks.h"
#include "narrow_product.h"
#include "threads.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace {

using ctorch::BlockFormat;

/// Blocks of the weights' rows that threads take: only the last of a weight has fewer rows.
constexpr int64_t block = 12;

int64_t blocks_of(int64_t rows) { return (rows + block - 1) / block; }

/// A matrix that x is multiplied by: plain, or of quantised blocks if it has a format.
struct Matrix {
    const at::Tensor &weight;
    std::optional<BlockFormat> format;
    at::Tensor bias, y;

    int64_t columns() const { return weight.size(0); }
};

/// The rows begin..<end of one matrix.
using Product = std::function<void(int64_t begin, int64_t end)>;

template <class Element, class Weight>
Product plain_product(void (*kernel)(const Problem<Element, Element, Weight> &, int64_t, int64_t),
                      const at::Tensor &x, const Matrix &matrix) {
    const Problem<Element, Element, Weight> problem{
        x.const_data_ptr<Element>(), matrix.weight.const_data_ptr<Weight>(),
        ctorch::data<Element>(matrix.bias), matrix.y.mutable_data_ptr<Element>(),
        x.numel() / x.size(-1), matrix.columns(), x.size(-1)};
    return [=](int64_t begin, int64_t end) { kernel(problem, begin, end); };
}

template <class Element>
Product product(const at::Tensor &x, const Matrix &matrix) {
    const auto kernels = active_kernels<Element>();
    if (matrix.format) {
        const BlockProblem<Element> problem{
            x.const_data_ptr<Element>(), matrix.weight.const_data_ptr<uint8_t>(),
            matrix.weight.size(1), *matrix.format, ctorch::data<Element>(matrix.bias),
            matrix.y.mutable_data_ptr<Element>(), x.numel() / x.size(-1), matrix.columns(),
            x.size(-1)};
        return [=](int64_t begin, int64_t end) { kernels.of_blocks(problem, begin, end); };
    }
    switch (matrix.weight.scalar_type()) {
    case at::kHalf: return plain_product(kernels.of_half, x, matrix);
    case at::kBFloat16: return plain_product(kernels.of_bfloat16, x, matrix);
    default: return plain_product(kernels.of_float, x, matrix);
    }
}

template <class Element>
void multiply(const at::Tensor &x, std::vector<Matrix> &matrices) {
    std::vector<std::pair<int64_t, Product>> products; // with their columns
    int64_t blocks = 0;
    for (auto &matrix : matrices) {
        auto sizes = x.sizes().vec();
        sizes.back() = matrix.columns();
        matrix.y = at::empty(sizes, x.options().requires_grad(false));
        products.emplace_back(matrix.columns(), product<Element>(x, matrix));
        blocks += blocks_of(matrix.columns());
    }
    // A thread costs more than it does for less than some ten thousand products.
    const int64_t grain = std::max<int64_t>(1, 16384 / (block * x.size(-1)));
    ctorch::in_parallel(blocks, grain, [&products](int64_t begin, int64_t end) {
        int64_t first = 0; // the blocks of all matrices are counted through
        for (const auto &[columns, product] : products) {
            const int64_t count = blocks_of(columns);
            const int64_t from = std::max(begin, first), to = std::min(end, first + count);
            if (from < to)
                product((from - first) * block, std::min((to - first) * block, columns));
            first += count;
        }
    });
}

bool is_plain(const at::Tensor &tensor) {
    return tensor.device().is_cpu() && tensor.is_contiguous() && !tensor.is_neg();
}

bool is_plain(const at::Tensor &tensor, const at::Tensor &like) {
    return is_plain(tensor) && tensor.scalar_type() == like.scalar_type();
}

bool is_readable(const Matrix &matrix, int64_t size) {
    const at::Tensor &weight = matrix.weight;
    if (weight.dim() != 2 || weight.numel() == 0 || !is_plain(weight)) return false;
    const auto type = weight.scalar_type();
    if (matrix.format) {
        const auto layout = ctorch::layout_of(*matrix.format);
        return type == at::kByte && size % layout.size == 0
            && weight.size(1) == layout.row_bytes(size);
    }
    return weight.size(1) == size
        && (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf);
}

bool fits(const at::Tensor &x, const Matrix &matrix) {
    const at::Tensor &weight = matrix.weight, &bias = matrix.bias;
    if (!is_readable(matrix, x.size(-1))) return false;
    if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0) || !is_plain(bias, x)))
        return false;
    const bool records = at::GradMode::is_enabled()
        && (x.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad()));
    return !records;
}

bool multiply_if_possible(const at::Tensor &x, std::vector<Matrix> &matrices) {
    if (x.dim() < 1 || x.numel() == 0 || !is_plain(x, x)) return false;
    for (const auto &matrix : matrices)
        if (!fits(x, matrix)) return false;
    if (x.scalar_type() == at::kFloat) multiply<float>(x, matrices);
    else if (x.scalar_type() == at::kBFloat16) multiply<c10::BFloat16>(x, matrices);
    else return false;
    return true;
}

} // namespace

extern "C" {

ct_status ct_narrow_products(const ct_tensor *x, ct_tensor *const *weights, const int64_t *formats,
                             ct_tensor *const *biases, size_t count, ct_tensor **outs) {
    return ctorch::guarded([&] {
        std::vector<Matrix> matrices;
        for (size_t i = 0; i < count; ++i) {
            outs[i] = nullptr;
            std::optional<BlockFormat> format;
            if (formats[i] >= 0) format = static_cast<BlockFormat>(formats[i]);
            matrices.push_back({weights[i]->value, format,
                                biases[i] == nullptr ? at::Tensor() : biases[i]->value,
                                at::Tensor()});
        }
        if (!multiply_if_possible(x->value, matrices)) return;
        for (size_t i = 0; i < count; ++i) outs[i] = ctorch::make_handle(std::move(matrices[i].y));
    });
}

} // extern "C"
