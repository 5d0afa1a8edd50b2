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

template <class Element>
struct FunctionKernels {
    ElementsKernel<Element> forward, backward, gated_forward, gated_backward;
};

/// In the order of the kernels' tables.
constexpr std::array<std::string_view, 7> functions = {"silu", "gelu", "gelu_tanh", "relu",
                                                       "tanh", "erf",  "exp"};

#define KERNEL_FILE "activations_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

size_t number_of(const char *name, std::string_view function) {
    const auto found = std::find(functions.begin(), functions.end(), function);
    TORCH_CHECK(found != functions.end(), name, ": no function '", function, "'");
    return static_cast<size_t>(found - functions.begin());
}

template <class Element>
FunctionKernels<Element> kernels_of(size_t function) {
    return FOR_ACTIVE_INSTRUCTION_SET(function_kernels<Element>)[function];
}

template <class Element>
void run(ElementsKernel<Element> kernel, const Elements<Element> &job, int64_t count) {
    // Whole vectors for each thread but the last.
    constexpr int64_t block = 64;
    ctorch::in_parallel((count + block - 1) / block, 8192 / block, [&](int64_t begin, int64_t end) {
        kernel(job, begin * block, std::min(count, end * block));
    });
}

} // namespace

namespace ctorch {

using ::at::Tensor;

Tensor elementwise(const Tensor &input, std::string_view function) {
    check_kernel_type("elementwise", input);
    const size_t number = number_of("elementwise", function);
    const Tensor x = input.contiguous(), y = at::empty(x.sizes(), x.options());
    for_element_type(x, [&](auto zero) {
        using Element = decltype(zero);
        const Elements<Element> job{data<Element>(x), nullptr, nullptr, mutable_data<Element>(y),
                                    nullptr};
        run(kernels_of<Element>(number).forward, job, x.numel());
    });
    return y;
}

Tensor elementwise_backward(const Tensor &gradient, const Tensor &input, std::string_view function) {
    const char *name = "elementwise_backward";
    check_kernel_type(name, input);
    check_like(name, "the gradient", gradient, input, input.sizes());
    const size_t number = number_of(name, function);
    const Tensor x = input.contiguous(), g = gradient.contiguous();
    const Tensor found = at::empty(x.sizes(), x.options());
    for_element_type(x, [&](auto zero) {
        using Element = decltype(zero);
        const Elements<Element> job{data<Element>(x), nullptr, data<Element>(g),
                                    mutable_data<Element>(found), nullptr};
        run(kernels_of<Element>(number).backward, job, x.numel());
    });
    return found;
}

Tensor gated(const Tensor &gate, const Tensor &up, std::string_view function) {
    check_kernel_type("gated", gate);
    check_like("gated", "what is gated", up, gate, gate.sizes());
    const size_t number = number_of("gated", function);
    const Tensor x = gate.contiguous(), u = up.contiguous(), y = at::empty(x.sizes(), x.options());
    for_element_type(x, [&](auto zero) {
        using Element = decltype(zero);
        const Elements<Element> job{data<Element>(x), data<Element>(u), nullptr,
                                    mutable_data<Element>(y), nullptr};
        run(kernels_of<Element>(number).gated_forward, job, x.numel());
    });
    return y;
}

std::tuple<Tensor, Tensor> gated_backward(const Tensor &gradient, const Tensor &gate, const Tensor &up,
                                          std::string_view function) {
    const char *name = "gated_backward";
    check_kernel_type(name, gate);
    check_like(name, "what is gated", up, gate, gate.sizes());
    check_like(name, "the gradient", gradient, gate, gate.sizes());
    const size_t number = number_of(name, function);
    const Tensor x = gate.contiguous(), u = up.contiguous(), g = gradient.contiguous();
    const Tensor at_gate = at::empty(x.sizes(), x.options()), at_up = at::empty(x.sizes(), x.options());
    for_element_type(x, [&](auto zero) {
        using Element = decltype(zero);
        const Elements<Element> job{data<Element>(x), data<Element>(u), data<Element>(g),
                                    mutable_data<Element>(at_gate), mutable_data<Element>(at_up)};
        run(kernels_of<Element>(number).gated_backward, job, x.numel());
    });
    return {at_gate, at_up};
}

} // namespace ctorch
