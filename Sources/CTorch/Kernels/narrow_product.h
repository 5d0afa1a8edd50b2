// Kernels for few rows: see narrow_product_kernel.inc. Each file that includes this has kernels of its
// own.
#pragma once

#include "instruction_sets.h"

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace {

/// y (rows, columns) = x (rows, size) · weight (columns, size)ᵀ + bias (columns), which may be null.
template <class Element, class Output = Element>
struct Problem {
    const Element *x, *weight, *bias;
    Output *y;
    int64_t rows, columns, size;
};

/// The kernels of one instruction set.
template <class Element>
struct Kernels {
    /// Rows begin..<end of the weight.
    void (*product)(const Problem<Element> &, int64_t begin, int64_t end);
    void (*scores)(const Problem<Element, float> &, int64_t begin, int64_t end);
    void (*weighted_sum)(const float *weights, const Element *values, int64_t count, int64_t size,
                         Element *sums);
};

#define KERNEL_FILE "narrow_product_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

/// The kernels of the instruction set that is in use.
template <class Element>
Kernels<Element> active_kernels() {
    return FOR_ACTIVE_INSTRUCTION_SET(kernels<Element>);
}

} // namespace
