// The operators of this package, by family: see operators.cpp.
#pragma once

#include <ATen/core/Tensor.h>

namespace ctorch {

} // namespace ctorch
