// Kernels for few rows, one set an instruction set: see narrow_product_kernel.inc. Each file that
// includes this has kernels of its own.
#pragma once

#include "include/ctorch.h"

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

/// y (rows, columns) = x (rows, size) · weight (columns, size)ᵀ + bias (columns), which may be null.
template <class Element, class Output = Element>
struct Problem {
    const Element *x, *weight, *bias;
    Output *y;
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

/// The kernels of one instruction set.
template <class Element>
struct Kernels {
    /// Rows begin..<end of the weight.
    void (*product)(const Problem<Element> &, int64_t begin, int64_t end);
    void (*scores)(const Problem<Element, float> &, int64_t begin, int64_t end);
    void (*weighted_sum)(const float *weights, const Element *values, int64_t count, int64_t size,
                         Element *sums);
};

/// Takes the kernels of an instruction set, unless the machine has it not.
template <class Element>
bool find_kernels(ct_narrow_variant variant, Kernels<Element> &found) {
#define NARROW_KERNELS(set) \
    found = {set::columns<Element, Element>, set::columns<Element, float>, set::weighted_sum<Element>}
    switch (variant) {
    case CT_NARROW_PORTABLE: NARROW_KERNELS(portable); return true;
#if defined(__x86_64__)
    case CT_NARROW_AVX2:
        NARROW_KERNELS(avx2);
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CT_NARROW_AVX512:
        NARROW_KERNELS(avx512);
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case CT_NARROW_AVX512_BF16:
        if (!find_kernels(CT_NARROW_AVX512, found)) return false;
        NARROW_KERNELS(avx512_bf16);
        return __builtin_cpu_supports("avx512bf16");
#endif
    default: return false;
    }
#undef NARROW_KERNELS
}

/// The kernels of the best instruction set that the machine has.
template <class Element>
const Kernels<Element> &best_kernels() {
    static const Kernels<Element> best = [] {
        Kernels<Element> found{};
        for (const auto variant :
             {CT_NARROW_AVX512_BF16, CT_NARROW_AVX512, CT_NARROW_AVX2, CT_NARROW_PORTABLE})
            if (find_kernels(variant, found)) break;
        return found;
    }();
    return best;
}

} // namespace
