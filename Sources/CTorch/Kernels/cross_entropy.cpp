// Cross-entropy of rows of logits and its gradient, in float32 whatever the logits' type: no copy of
// the logits is made, and the gradient takes their place.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "threads.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace {

#define KERNEL_FILE "cross_entropy_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

void check(const at::Tensor &logits, const at::Tensor &labels) {
    ctorch::check_kernel_type("cross_entropy", logits);
    TORCH_CHECK(logits.dim() == 2 && logits.is_contiguous() && logits.size(1) > 0,
                "logits of shape ", logits.sizes(), " are not contiguous rows");
    TORCH_CHECK(labels.dim() == 1 && labels.size(0) == logits.size(0) && labels.is_contiguous()
                    && labels.scalar_type() == at::kLong,
                "labels of shape ", labels.sizes(), " and type ", labels.scalar_type(),
                " are not one int64 for each of ", logits.size(0), " rows");
    const int64_t *ids = labels.const_data_ptr<int64_t>();
    for (int64_t i = 0; i < labels.size(0); ++i)
        TORCH_CHECK(ids[i] >= 0 && ids[i] < logits.size(1), "label ", ids[i], " of row ", i,
                    " is not one of ", logits.size(1));
}

template <class Element>
void run(const at::Tensor &logits, const at::Tensor &labels, float smoothing, const float *scale,
         at::Tensor &losses) {
    auto *source = logits.mutable_data_ptr<Element>();
    const int64_t *ids = labels.const_data_ptr<int64_t>(), size = logits.size(1);
    auto *target = losses.mutable_data_ptr<float>();
    const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(cross_entropy_row<Element>);
    // A thread costs more than it does for less than some ten thousand logits.
    const int64_t grain = 1 + 16384 / size;
    ctorch::in_parallel(logits.size(0), grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            target[i] = kernel(source + i * size, size, ids[i], smoothing, scale);
    });
}

} // namespace

namespace ctorch {

at::Tensor cross_entropy(const at::Tensor &logits, const at::Tensor &labels,
                         std::optional<double> gradient_scale, double label_smoothing) {
    check(logits, labels);
    TORCH_CHECK(label_smoothing >= 0 && label_smoothing <= 1, "label_smoothing ", label_smoothing,
                " is not from 0 to 1");
    const auto smoothing = static_cast<float>(label_smoothing);
    at::Tensor losses = at::empty({logits.size(0)}, logits.options().dtype(at::kFloat));
    const auto factor = static_cast<float>(gradient_scale.value_or(1));
    const float *scale = gradient_scale ? &factor : nullptr;
    for_element_type(logits, [&]<class Element>(Element) {
        run<Element>(logits, labels, smoothing, scale, losses);
    });
    return losses;
}

} // namespace ctorch
