// A matrix of quantised blocks, or of float16, of which kernels read rows as numbers where they need them.
#pragma once

#include "block_formats.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ctorch {

struct StoredRows {
    BlockFormat format;
    const uint8_t *bytes;
    int64_t stride, columns;

    /// Checks that `blocks` (rows, bytes of a row) has rows of so many numbers.
    StoredRows(const char *name, const at::Tensor &blocks, int64_t format, int64_t columns);

    /// Of a matrix of float16, whose rows are contiguous.
    explicit StoredRows(const at::Tensor &halves);

    /// Rows begin..<end in float32, one behind the other.
    void read(int64_t begin, int64_t end, float *out) const;

    /// Runs body(begin, end, numbers) over begin..<end, some rows at a time, which stay in the second
    /// cache: a multiple of `group` of them.
    template <class Body>
    void for_parts(int64_t begin, int64_t end, int64_t group, const Body &body) const {
        constexpr int64_t most = 1 << 17;
        const int64_t rows = std::max<int64_t>(1, most / columns / group) * group;
        std::vector<float> room(static_cast<size_t>(std::min(rows, end - begin) * columns));
        for (int64_t row = begin; row < end; row += rows) {
            const int64_t last = std::min(end, row + rows);
            read(row, last, room.data());
            body(row, last, room.data());
        }
    }
};

} // namespace ctorch
