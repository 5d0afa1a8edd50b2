// x Wᵀ + b for few rows x, as when text is generated: W is read once, at the speed of the memory.
//
// LibTorch's products reach less than half of that speed at 1 to 16 rows. One kernel is compiled for
// several instruction sets, of which the best that the machine has is chosen when it runs.
#include "../bridge.h"
#include "narrow_product.h"
#include "threads.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

namespace {

/// Blocks of the weights' rows that threads take: only the last of a weight has fewer rows.
constexpr int64_t block = 12;

int64_t blocks_of(int64_t rows) { return (rows + block - 1) / block; }

/// Products of one x, whose blocks are counted through.
template <class Element>
struct Job {
    std::vector<Problem<Element>> problems;
    Kernels<Element> kernels;

    void run(int64_t begin, int64_t end) const {
        int64_t first = 0;
        for (const auto &problem : problems) {
            const int64_t blocks = blocks_of(problem.columns);
            const int64_t from = std::max(begin, first), to = std::min(end, first + blocks);
            if (from < to)
                kernels.product(problem, (from - first) * block,
                                std::min((to - first) * block, problem.columns));
            first += blocks;
        }
    }
};

struct Matrix {
    const at::Tensor &weight;
    at::Tensor bias, y;
};

template <class Element>
void multiply(const at::Tensor &x, std::vector<Matrix> &matrices) {
    Job<Element> job{{}, active_kernels<Element>()};
    int64_t blocks = 0;
    for (auto &[weight, bias, y] : matrices) {
        auto sizes = x.sizes().vec();
        sizes.back() = weight.size(0);
        y = at::empty(sizes, x.options().requires_grad(false));
        job.problems.push_back({x.const_data_ptr<Element>(), weight.const_data_ptr<Element>(),
                                bias.defined() ? bias.const_data_ptr<Element>() : nullptr,
                                y.mutable_data_ptr<Element>(), x.numel() / weight.size(1),
                                weight.size(0), weight.size(1)});
        blocks += blocks_of(weight.size(0));
    }
    // A thread costs more than it does for less than some ten thousand products.
    const int64_t grain = std::max<int64_t>(1, 16384 / (block * x.size(-1)));
    ctorch::in_parallel(blocks, grain, [&job](int64_t begin, int64_t end) { job.run(begin, end); });
}

bool is_plain(const at::Tensor &tensor, const at::Tensor &like) {
    return tensor.device().is_cpu() && tensor.scalar_type() == like.scalar_type()
        && tensor.is_contiguous() && !tensor.is_neg();
}

bool fits(const at::Tensor &x, const Matrix &matrix) {
    const at::Tensor &weight = matrix.weight, &bias = matrix.bias;
    if (weight.dim() != 2 || weight.numel() == 0 || x.size(-1) != weight.size(1)) return false;
    if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0) || !is_plain(bias, x)))
        return false;
    const bool records = at::GradMode::is_enabled()
        && (x.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad()));
    return !records && is_plain(weight, x);
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

ct_status ct_narrow_products(const ct_tensor *x, ct_tensor *const *weights, ct_tensor *const *biases,
                             size_t count, ct_tensor **outs) {
    return ctorch::guarded([&] {
        std::vector<Matrix> matrices;
        for (size_t i = 0; i < count; ++i) {
            outs[i] = nullptr;
            matrices.push_back({weights[i]->value,
                                biases[i] == nullptr ? at::Tensor() : biases[i]->value,
                                at::Tensor()});
        }
        if (!multiply_if_possible(x->value, matrices)) return;
        for (size_t i = 0; i < count; ++i) outs[i] = ctorch::make_handle(std::move(matrices[i].y));
    });
}

} // extern "C"
