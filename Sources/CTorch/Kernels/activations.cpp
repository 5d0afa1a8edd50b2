// Functions of one number, element by element, and gated ones: f(gate) up. Each way is one pass, from
// the inputs alone: nothing else is kept for the backward. Shazeer 2020, arXiv:2002.05202.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "threads.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <type_traits>
#include <utility>

namespace {

/// What is not used is null.
template <class Element>
struct Elements {
    /// Of f(x), or of f(gate) up, where x is the gate.
    const Element *x, *up, *gradient;
    /// The values forward, the gradients at x and up backward.
    Element *y, *up_gradient;
};

/// Works on the elements begin..<end.
template <class Element>
using ElementsKernel = void (*)(const Elements<Element> &, int64_t begin, int64_t end);

/// Which of a function's kernels, in the order of FunctionKernels.
enum class Way : size_t { forward, backward, gated_forward, gated_backward };

template <class Element>
using FunctionKernels = std::array<ElementsKernel<Element>, 4>;

/// In the order of the kernels' tables.
constexpr std::array<std::string_view, 7> functions = {"silu", "gelu", "gelu_tanh", "relu",
                                                       "tanh", "erf",  "exp"};

#define KERNEL_FILE "activations_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

using namespace ctorch;
using at::Tensor;

/// Runs one of a function's kernels. What it does not use is undefined.
/// Returns the values forward, the gradients at x and, of a gated function, at up backward.
std::tuple<Tensor, Tensor> run(Way way, const char *name, std::string_view function,
                               const Tensor &input, const Tensor &up = {},
                               const Tensor &gradient = {}) {
    check_kernel_type(name, input);
    if (up.defined()) check_like(name, "what is gated", up, input, input.sizes());
    if (gradient.defined()) check_like(name, "the gradient", gradient, input, input.sizes());
    const auto found = std::find(functions.begin(), functions.end(), function);
    TORCH_CHECK(found != functions.end(), name, ": no function '", function, "'");
    const auto in_order = [](const Tensor &x) { return x.defined() ? x.contiguous() : x; };
    const Tensor x = in_order(input), u = in_order(up), g = in_order(gradient);
    const Tensor y = at::empty(x.sizes(), x.options());
    const Tensor at_up = way == Way::gated_backward ? at::empty(x.sizes(), x.options()) : Tensor();
    const int64_t count = x.numel();
    for_element_type(x, [&](auto zero) {
        using Element = decltype(zero);
        const Elements<Element> job{data<Element>(x), data<Element>(u), data<Element>(g),
                                    mutable_data<Element>(y), mutable_data<Element>(at_up)};
        const auto &kernels = FOR_ACTIVE_INSTRUCTION_SET(function_kernels<Element>);
        const ElementsKernel<Element> kernel = kernels[found - functions.begin()][static_cast<size_t>(way)];
        // Whole vectors for each thread but the last.
        constexpr int64_t block = 64;
        in_parallel((count + block - 1) / block, 8192 / block, [&](int64_t begin, int64_t end) {
            kernel(job, begin * block, std::min(count, end * block));
        });
    });
    return {y, at_up};
}

} // namespace

namespace ctorch {

Tensor elementwise(const Tensor &x, std::string_view function) {
    return std::get<0>(run(Way::forward, "elementwise", function, x));
}

Tensor elementwise_backward(const Tensor &gradient, const Tensor &x, std::string_view function) {
    return std::get<0>(run(Way::backward, "elementwise_backward", function, x, {}, gradient));
}

Tensor gated(const Tensor &gate, const Tensor &up, std::string_view function) {
    return std::get<0>(run(Way::gated_forward, "gated", function, gate, up));
}

std::tuple<Tensor, Tensor> gated_backward(const Tensor &gradient, const Tensor &gate, const Tensor &up,
                                          std::string_view function) {
    return run(Way::gated_backward, "gated_backward", function, gate, up, gradient);
}

} // namespace ctorch
