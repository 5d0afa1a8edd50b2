// What operators check of their arguments, and how they come to the numbers of a tensor.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>

namespace ctorch {

/// Kernels compute on the CPU, with float32 and bfloat16.
inline void check_kernel_type(const char *name, const at::Tensor &x) {
    TORCH_CHECK(x.device().is_cpu(), name, ": a tensor on ", x.device(), ", not on the CPU");
    TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16, name,
                ": a tensor of ", x.scalar_type(), ", neither float32 nor bfloat16");
}

/// `tensor` has the type of `like`, and these sizes.
inline void check_like(const char *name, const char *role, const at::Tensor &tensor,
                       const at::Tensor &like, at::IntArrayRef sizes) {
    TORCH_CHECK(tensor.device() == like.device() && tensor.scalar_type() == like.scalar_type(), name,
                ": ", role, " is of ", tensor.scalar_type(), " on ", tensor.device(), ", not of ",
                like.scalar_type(), " on ", like.device());
    TORCH_CHECK(tensor.sizes() == sizes, name, ": ", role, " has the shape ", tensor.sizes(), ", not ",
                sizes);
}

/// Runs body(zero) with a zero of the tensor's type, which is one of the kernels'.
template <class Body>
void for_element_type(const at::Tensor &tensor, const Body &body) {
    if (tensor.scalar_type() == at::kFloat) body(0.0f);
    else body(c10::BFloat16(0.0f));
}

/// The numbers of a tensor; null for a tensor that is not there.
template <class Element>
const Element *data(const at::Tensor &tensor) {
    return tensor.defined() ? tensor.const_data_ptr<Element>() : nullptr;
}

template <class Element>
Element *mutable_data(const at::Tensor &tensor) {
    return tensor.defined() ? tensor.mutable_data_ptr<Element>() : nullptr;
}

} // namespace ctorch
