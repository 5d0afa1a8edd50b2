// x Wᵀ + b for few rows x, as when text is generated: W is read once, at the speed of the memory.
//
// LibTorch's products reach less than half of that speed at 1 to 16 rows. One kernel is compiled for
// several instruction sets, of which the best that the machine has is chosen when it runs.
#include "bridge.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/util/BFloat16.h>
#include <torch/csrc/stable/c/shim.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

/// y (rows, columns) = x (rows, size) · weight (columns, size)ᵀ + bias (columns), which may be null.
template <class Element>
struct Problem {
    const Element *x, *weight, *bias;
    Element *y;
    int64_t rows, columns, size;
};

#pragma clang fp contract(fast)

namespace portable {
#define NARROW_BYTES 16
#define NARROW_ROWS 2
#define NARROW_COLUMNS 4
#include "narrow_product_kernel.inc"
#undef NARROW_BYTES
#undef NARROW_ROWS
#undef NARROW_COLUMNS
} // namespace portable

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
namespace avx2 {
#define NARROW_BYTES 32
#define NARROW_ROWS 2
#define NARROW_COLUMNS 4
#include "narrow_product_kernel.inc"
#undef NARROW_BYTES
#undef NARROW_ROWS
#undef NARROW_COLUMNS
} // namespace avx2
#pragma clang attribute pop

#define NARROW_BYTES 64
#define NARROW_ROWS 6
#define NARROW_COLUMNS 4
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), \
    apply_to = function)
namespace avx512 {
#include "narrow_product_kernel.inc"
} // namespace avx512
#pragma clang attribute pop

#define NARROW_PAIRS
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), \
    apply_to = function)
namespace avx512_bf16 {
#include "narrow_product_kernel.inc"
} // namespace avx512_bf16
#pragma clang attribute pop
#endif

template <class Element>
using Kernel = void (*)(const Problem<Element> &, int64_t, int64_t);

/// The kernel of an instruction set; null where the machine has it not.
template <class Element>
Kernel<Element> kernel_for(ct_narrow_variant variant) {
    switch (variant) {
    case CT_NARROW_PORTABLE: return portable::columns<Element>;
#if defined(__x86_64__)
    case CT_NARROW_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
            ? avx2::columns<Element> : nullptr;
    case CT_NARROW_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
            ? avx512::columns<Element> : nullptr;
    case CT_NARROW_AVX512_BF16:
        return kernel_for<Element>(CT_NARROW_AVX512) && __builtin_cpu_supports("avx512bf16")
            ? avx512_bf16::columns<Element> : nullptr;
#endif
    default: return nullptr;
    }
}

template <class Element>
Kernel<Element> best_kernel() {
    for (const auto variant : {CT_NARROW_AVX512_BF16, CT_NARROW_AVX512, CT_NARROW_AVX2})
        if (const auto kernel = kernel_for<Element>(variant)) return kernel;
    return kernel_for<Element>(CT_NARROW_PORTABLE);
}

template <class Element>
struct Job {
    Problem<Element> problem;
    Kernel<Element> kernel;
};

/// Rows of the weight that a thread takes at the least, lest starting it cost more than it does.
int64_t grain(int64_t size) { return std::max<int64_t>(16, 16384 / std::max<int64_t>(1, size)); }

/// Blocks of rows, so that only the last has fewer.
constexpr int64_t block = 12;

template <class Element>
void run(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, at::Tensor &y,
         Kernel<Element> kernel) {
    Job<Element> job{{x.const_data_ptr<Element>(), weight.const_data_ptr<Element>(),
                      bias.defined() ? bias.const_data_ptr<Element>() : nullptr,
                      y.mutable_data_ptr<Element>(), x.numel() / weight.size(1), weight.size(0),
                      weight.size(1)},
                     kernel};
    const auto range = [](int64_t begin, int64_t end, void *context) {
        const auto &job = *static_cast<Job<Element> *>(context);
        job.kernel(job.problem, begin * block, std::min(end * block, job.problem.columns));
    };
    const int64_t blocks = (weight.size(0) + block - 1) / block;
    const int64_t least = std::max<int64_t>(1, grain(weight.size(1)) / block);
    TORCH_CHECK(torch_parallel_for(0, blocks, least, range, &job) == 0, "the threads failed");
}

bool is_plain(const at::Tensor &tensor, const at::Tensor &like) {
    return tensor.device().is_cpu() && tensor.scalar_type() == like.scalar_type()
        && tensor.is_contiguous() && !tensor.is_neg();
}

bool fits(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias) {
    const auto type = x.scalar_type();
    if (type != at::kFloat && type != at::kBFloat16) return false;
    if (x.dim() < 1 || weight.dim() != 2 || weight.numel() == 0 || x.numel() == 0) return false;
    if (x.size(-1) != weight.size(1)) return false;
    if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0) || !is_plain(bias, x)))
        return false;
    const bool records = at::GradMode::is_enabled()
        && (x.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad()));
    return !records && is_plain(x, x) && is_plain(weight, x);
}

/// False where the machine has not the variant that is asked for.
template <class Element>
bool compute(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, at::Tensor &y,
             ct_narrow_variant variant) {
    static const Kernel<Element> best = best_kernel<Element>();
    const auto kernel = variant == CT_NARROW_BEST ? best : kernel_for<Element>(variant);
    if (kernel == nullptr) return false;
    run<Element>(x, weight, bias, y, kernel);
    return true;
}

} // namespace

extern "C" {

ct_status ct_narrow_product(const ct_tensor *x, const ct_tensor *weight, const ct_tensor *bias,
                            int64_t most_rows, ct_narrow_variant variant, ct_tensor **out) {
    return ctorch::guarded([&] {
        *out = nullptr;
        const at::Tensor &input = x->value, &matrix = weight->value;
        const at::Tensor shift = bias == nullptr ? at::Tensor() : bias->value;
        if (!fits(input, matrix, shift) || input.numel() / matrix.size(1) > most_rows) return;
        auto sizes = input.sizes().vec();
        sizes.back() = matrix.size(0);
        at::Tensor y = at::empty(sizes, input.options().requires_grad(false));
        const bool done = input.scalar_type() == at::kFloat
            ? compute<float>(input, matrix, shift, y, variant)
            : compute<c10::BFloat16>(input, matrix, shift, y, variant);
        if (done) *out = ctorch::make_handle(std::move(y));
    });
}

} // extern "C"
