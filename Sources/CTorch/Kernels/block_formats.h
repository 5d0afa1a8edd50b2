// Formats of matrices whose rows are blocks of quantised numbers: GGUF's block types, and QLoRA's NF4.
//
// A block holds `size` neighbouring numbers of a row in `bytes` bytes; see block_formats.inc for how.
#pragma once

#include <c10/util/Exception.h>

#include <cstdint>

namespace ctorch {

/// The numbers are those of Swift's BlockFormat, which has no `half`: float16, whose blocks are numbers.
enum class BlockFormat : int64_t { q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k, nf4, half };

struct BlockLayout {
    int64_t size, bytes;

    int64_t row_bytes(int64_t columns) const { return columns / size * bytes; }
};

inline BlockLayout layout_of(BlockFormat format) {
    switch (format) {
    case BlockFormat::q4_0: return {32, 18};
    case BlockFormat::q4_1: return {32, 20};
    case BlockFormat::q5_0: return {32, 22};
    case BlockFormat::q5_1: return {32, 24};
    case BlockFormat::q8_0: return {32, 34};
    case BlockFormat::q4_k: return {256, 144};
    case BlockFormat::q5_k: return {256, 176};
    case BlockFormat::q6_k: return {256, 210};
    case BlockFormat::nf4: return {64, 36};
    case BlockFormat::half: return {1, 2};
    }
    TORCH_CHECK(false, "no block format has the number ", static_cast<int64_t>(format));
}

} // namespace ctorch
