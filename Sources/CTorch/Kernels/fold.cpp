// Folds: each element of a wide row belongs to one of a narrow row, or to several. The wide ones are summed up,
// in float32 whatever their type, or the narrow ones are added to all of theirs. One pass over memory each.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "thin_products.h"
#include "threads.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

/// `count` narrow elements from `narrow` on, and `times` wide ones for each, from `wide` on: neighbours if they are
/// grouped, else the narrow ones come over and over.
struct FoldPiece {
    int64_t wide, narrow, count, times;
    bool is_grouped;
};

struct Fold {
    int64_t wide_size, narrow_size;
    std::vector<FoldPiece> pieces;
};

#define KERNEL_FILE "fold_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

/// Five numbers a piece, in the order of its fields.
Fold fold_of(const char *name, int64_t wide_size, int64_t narrow_size, at::IntArrayRef numbers) {
    TORCH_CHECK(numbers.size() % 5 == 0, name, ": pieces have five numbers each");
    Fold fold{wide_size, narrow_size, {}};
    for (size_t i = 0; i < numbers.size(); i += 5) {
        const FoldPiece piece{numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3],
                              numbers[i + 4] != 0};
        TORCH_CHECK(piece.count > 0 && piece.times > 0 && piece.narrow >= 0 && piece.wide >= 0
                        && piece.narrow <= narrow_size - piece.count && piece.wide <= wide_size
                        && piece.times <= (wide_size - piece.wide) / piece.count,
                    name, ": a piece reaches beyond rows of ", wide_size, " and ", narrow_size);
        fold.pieces.push_back(piece);
    }
    return fold;
}

void check_rows(const char *name, const at::Tensor &x) {
    ctorch::check_kernel_type(name, x);
    TORCH_CHECK(x.dim() == 2 && x.is_contiguous(), name, ": a matrix that is not contiguous");
}

} // namespace

namespace ctorch {

at::Tensor fold_sum(const at::Tensor &wide, int64_t narrow_size, at::IntArrayRef pieces) {
    check_rows("fold_sum", wide);
    TORCH_CHECK(narrow_size > 0, "fold_sum: rows of ", narrow_size);
    const int64_t rows = wide.size(0), parts = parts_of(rows, wide.size(1));
    const Fold fold = fold_of("fold_sum", wide.size(1), narrow_size, pieces);
    const at::Tensor narrow = at::empty({rows, narrow_size}, wide.options());
    const at::Tensor sums = at::empty({parts, narrow_size}, wide.options().dtype(at::kFloat));
    for_element_type(wide, [&]<class Element>(Element) {
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(fold_sums_kernel<Element>);
        in_parallel(parts, 1, [&](int64_t begin, int64_t end) {
            for (int64_t part = begin; part < end; ++part)
                kernel(fold, wide.const_data_ptr<Element>(),
                       sums.mutable_data_ptr<float>() + part * narrow_size,
                       narrow.mutable_data_ptr<Element>(), rows * part / parts,
                       rows * (part + 1) / parts);
        });
    });
    return narrow;
}

void fold_add(const at::Tensor &wide, const at::Tensor &narrow, at::IntArrayRef pieces) {
    check_rows("fold_add", wide);
    check_rows("fold_add", narrow);
    check_like("fold_add", "the narrow matrix", narrow, wide, {wide.size(0), narrow.size(1)});
    const Fold fold = fold_of("fold_add", wide.size(1), narrow.size(1), pieces);
    for_element_type(wide, [&]<class Element>(Element) {
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(fold_addition_kernel<Element>);
        in_parallel(wide.size(0), grain_of(wide.size(1)), [&](int64_t begin, int64_t end) {
            kernel(fold, narrow.const_data_ptr<Element>(), wide.mutable_data_ptr<Element>(), begin,
                   end);
        });
    });
}

} // namespace ctorch
