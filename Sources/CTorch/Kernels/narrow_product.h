// Kernels for few rows: see narrow_product_kernel.inc. Each file that includes this has kernels of its
// own.
#pragma once

#include "block_formats.h"
#include "instruction_sets.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace {

/// y (rows, columns) = x (rows, size) · weight (columns, size)ᵀ + bias (columns), which may be null.
template <class Element, class Output = Element, class Weight = Element>
struct Problem {
    const Element *x;
    const Weight *weight;
    const Element *bias;
    Output *y;
    int64_t rows, columns, size;
};

/// The same with a weight of quantised blocks, of which a row has `row_bytes`.
template <class Element>
struct BlockProblem {
    const Element *x;
    const uint8_t *weight;
    int64_t row_bytes;
    ctorch::BlockFormat format;
    const Element *bias;
    Element *y;
    int64_t rows, columns, size;
};

/// The kernels of one instruction set.
template <class Element>
struct Kernels {
    // Rows begin..<end of the weight, of this type, of others, or of blocks.
    void (*product)(const Problem<Element> &, int64_t begin, int64_t end);
    void (*of_float)(const Problem<Element, Element, float> &, int64_t begin, int64_t end);
    void (*of_bfloat16)(const Problem<Element, Element, c10::BFloat16> &, int64_t begin, int64_t end);
    void (*of_half)(const Problem<Element, Element, c10::Half> &, int64_t begin, int64_t end);
    void (*of_blocks)(const BlockProblem<Element> &, int64_t begin, int64_t end);
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
