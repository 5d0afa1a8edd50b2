// The operators of this package, by family: see operators.cpp.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace ctorch {

/// -log softmax(logits)[label] of each row (N, classes), (N) in float32; with a scale, the logits become
/// the gradient of the losses' sum times it.
at::Tensor cross_entropy(const at::Tensor &logits, const at::Tensor &labels,
                         std::optional<double> gradient_scale);

} // namespace ctorch
