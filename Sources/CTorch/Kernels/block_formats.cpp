// Matrices of quantised blocks, read and made. What is made is what ggml's reference makes of the same
// numbers, and bitsandbytes' of NF4.
#include "block_formats.h"

#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "stored_rows.h"
#include "thin_products.h"
#include "threads.h"

#include <ATen/ops/empty.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

namespace {

using namespace ctorch;

#define KERNEL_FILE "block_formats_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

void put_half(float value, uint8_t *target) {
    const uint16_t bits = c10::Half(value).x;
    std::memcpy(target, &bits, 2);
}

float reciprocal(float value) { return value == 0 ? 0 : 1 / value; }

/// A code of 0...most; a number that is none becomes 0.
uint8_t code(float value, int most) {
    return static_cast<uint8_t>(value >= 0 ? std::min(value, static_cast<float>(most)) : 0);
}

/// Q4_0: the number of the greatest size becomes -8.
void write_q4_0(const float *x, uint8_t *block) {
#pragma clang fp contract(off)
    const float extreme = *std::max_element(
        x, x + 32, [](float a, float b) { return std::abs(a) < std::abs(b); });
    const float scale = extreme / -8, inverse = reciprocal(scale);
    put_half(scale, block);
    for (int i = 0; i < 16; ++i) {
        const float low = x[i] * inverse, high = x[i + 16] * inverse;
        block[2 + i] = static_cast<uint8_t>(code(low + 8.5f, 15) | (code(high + 8.5f, 15) << 4));
    }
}

/// Q8_0: the number of the greatest size becomes ±127.
void write_q8_0(const float *x, uint8_t *block) {
    float most = 0;
    for (int i = 0; i < 32; ++i) most = std::max(most, std::abs(x[i]));
    const float scale = most / 127, inverse = reciprocal(scale);
    put_half(scale, block);
    for (int i = 0; i < 32; ++i) {
        const float value = std::round(x[i] * inverse);
        block[2 + i] = static_cast<uint8_t>(static_cast<int8_t>(std::isfinite(value) ? value : 0));
    }
}

/// Between two neighbours of NF4's table, the number above which the greater one is taken (bitsandbytes,
/// `dQuantizeNF4`).
constexpr float normal_bounds[15] = {
    -0.8480964004993439f, -0.6106329262256622f, -0.4599952697753906f, -0.33967943489551544f,
    -0.23460740596055984f, -0.13791173323988914f, -0.045525018125772476f, 0.03979014977812767f,
    0.1202552504837513f, 0.2035212516784668f, 0.2920137718319893f, 0.3893125355243683f,
    0.5016634166240692f, 0.6427869200706482f, 0.8614784181118011f};

/// NF4: the number of the greatest size becomes ±1.
void write_nf4(const float *x, uint8_t *block) {
    float most = 0;
    for (int i = 0; i < 64; ++i) most = std::max(most, std::abs(x[i]));
    std::memcpy(block, &most, 4);
    const float inverse = reciprocal(most);
    const auto coded = [&](float value) {
        return static_cast<uint8_t>(
            std::lower_bound(normal_bounds, normal_bounds + 15, value * inverse) - normal_bounds);
    };
    for (int i = 0; i < 32; ++i)
        block[4 + i] = static_cast<uint8_t>((coded(x[2 * i]) << 4) | coded(x[2 * i + 1]));
}

using Writer = void (*)(const float *, uint8_t *);

Writer writer_of(BlockFormat format) {
    switch (format) {
    case BlockFormat::q4_0: return write_q4_0;
    case BlockFormat::q8_0: return write_q8_0;
    case BlockFormat::nf4: return write_nf4;
    default: TORCH_CHECK(false, "numbers are not quantised to this format");
    }
}

} // namespace

namespace ctorch {

StoredRows::StoredRows(const char *name, const at::Tensor &blocks, int64_t format, int64_t columns)
    : format(static_cast<BlockFormat>(format)), columns(columns) {
    TORCH_CHECK(this->format != BlockFormat::half, name, ": float16 is no format of blocks");
    const BlockLayout layout = layout_of(this->format);
    TORCH_CHECK(blocks.device().is_cpu() && blocks.scalar_type() == at::kByte && blocks.dim() == 2
                    && has_plain_rows(blocks),
                name, ": blocks are rows of bytes on the CPU, not of ", blocks.scalar_type());
    TORCH_CHECK(columns % layout.size == 0 && blocks.size(1) == layout.row_bytes(columns), name,
                ": rows of ", blocks.size(1), " bytes are not ", columns, " numbers in blocks of ",
                layout.size);
    bytes = blocks.const_data_ptr<uint8_t>();
    stride = blocks.stride(0);
}

StoredRows::StoredRows(const at::Tensor &halves)
    : format(BlockFormat::half), bytes(static_cast<const uint8_t *>(halves.const_data_ptr())),
      stride(halves.stride(0) * 2), columns(halves.size(1)) {}

void StoredRows::read(int64_t begin, int64_t end, float *out) const {
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(reading_kernel<float>);
    kernel(format, bytes + begin * stride, stride, end - begin, columns, out, columns);
}

void dequantize(const at::Tensor &out, const at::Tensor &blocks, int64_t format) {
    check_kernel_type("dequantize", out);
    TORCH_CHECK(out.dim() == 2 && has_plain_rows(out) && out.size(0) == blocks.size(0),
                "dequantize: the matrix has not the rows of the blocks");
    const int64_t columns = out.size(1);
    const StoredRows rows("dequantize", blocks, format, columns);
    if (out.numel() == 0) return;
    for_element_type(out, [&]<class Element>(Element) {
        Element *const numbers = out.mutable_data_ptr<Element>();
        const int64_t out_stride = out.stride(0);
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(reading_kernel<Element>);
        in_parallel(out.size(0), grain_of(columns), [&](int64_t begin, int64_t end) {
            kernel(rows.format, rows.bytes + begin * rows.stride, rows.stride, end - begin, columns,
                   numbers + begin * out_stride, out_stride);
        });
    });
}

at::Tensor quantize(const at::Tensor &x, int64_t format) {
    const auto name = static_cast<BlockFormat>(format);
    const BlockLayout layout = layout_of(name);
    const Writer write = writer_of(name);
    TORCH_CHECK(x.dim() == 2 && x.is_contiguous() && x.scalar_type() == at::kFloat,
                "quantize: a contiguous matrix of float32 is quantised");
    const int64_t rows = x.size(0), columns = x.size(1);
    TORCH_CHECK(columns % layout.size == 0, "quantize: ", columns, " columns are not blocks of ",
                layout.size);
    const at::Tensor blocks =
        at::empty({rows, layout.row_bytes(columns)}, x.options().dtype(at::kByte));
    const float *const numbers = x.const_data_ptr<float>();
    uint8_t *const bytes = blocks.mutable_data_ptr<uint8_t>();
    in_parallel(rows, grain_of(columns), [&](int64_t begin, int64_t end) {
        for (int64_t block = begin * columns / layout.size; block < end * columns / layout.size; ++block)
            write(numbers + block * layout.size, bytes + block * layout.bytes);
    });
    return blocks;
}

} // namespace ctorch
