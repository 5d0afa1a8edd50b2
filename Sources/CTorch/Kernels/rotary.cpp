// Rotary positions: heads of queries or keys, turned in one pass. Su et al. 2021, arXiv:2104.09864.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "threads.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace {

/// x (B, T, H, D) with heads that are contiguous to y (B, T, H, D), one behind the other.
template <class Element>
struct Turn {
    const Element *x;
    Element *y;
    /// (T, D), or (B, T, D) where `stride` is T D rather than 0.
    const Element *cosine, *sine;
    int64_t table_stride;
    int64_t tokens, heads, size;
    int64_t batch_stride, token_stride, head_stride;
    /// Whether to turn back: the transpose of the turn.
    bool backward;
};

/// Turns the tokens begin..<end of all rows, which count B T.
template <class Element>
using TurnKernel = void (*)(const Turn<Element> &, int64_t begin, int64_t end);

#define KERNEL_FILE "rotary_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

void check_tables(const at::Tensor &x, const at::Tensor &cosine, const at::Tensor &sine) {
    const int64_t B = x.size(0), T = x.size(1), D = x.size(3);
    const int64_t numbers = cosine.numel();
    ctorch::check_like("rotary", "the sine", sine, x, cosine.sizes());
    ctorch::check_like("rotary", "the cosine", cosine, x, sine.sizes());
    TORCH_CHECK(cosine.dim() > 1 && cosine.size(-1) == D && cosine.size(-2) == T
                    && (numbers == T * D || numbers == B * T * D),
                "rotary: cosines ", cosine.sizes(), " do not fit ", x.sizes());
}

} // namespace

namespace ctorch {

at::Tensor rotary(const at::Tensor &input, const at::Tensor &cosine, const at::Tensor &sine,
                  bool backward) {
    check_kernel_type("rotary", input);
    TORCH_CHECK(input.dim() == 4 && input.size(3) % 2 == 0, "rotary: heads ", input.sizes(),
                " are not (batch, tokens, heads, an even size)");
    check_tables(input, cosine, sine);
    const at::Tensor x = input.stride(3) == 1 ? input : input.contiguous();
    const at::Tensor c = cosine.contiguous(), s = sine.contiguous();
    const int64_t B = x.size(0), T = x.size(1), H = x.size(2), D = x.size(3);
    const at::Tensor y = at::empty(x.sizes(), x.options());
    if (y.numel() == 0) return y;
    for_element_type(x, [&](auto zero) {
        using Element = decltype(zero);
        const Turn<Element> job{data<Element>(x), mutable_data<Element>(y), data<Element>(c),
                                data<Element>(s), c.numel() == T * D ? 0 : T * D, T, H, D,
                                x.stride(0), x.stride(1), x.stride(2), backward};
        const TurnKernel<Element> turn = FOR_ACTIVE_INSTRUCTION_SET(turn<Element>);
        in_parallel(B * T, std::max<int64_t>(1, 16384 / (H * D)),
                    [&](int64_t begin, int64_t end) { turn(job, begin, end); });
    });
    return y;
}

} // namespace ctorch
