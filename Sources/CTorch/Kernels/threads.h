// Work on LibTorch's own threads.
#pragma once

#include <c10/util/Exception.h>
#include <torch/csrc/stable/c/shim.h>

#include <cstdint>

namespace ctorch {

/// Runs body(begin, end) over parts of 0..<count on LibTorch's threads, none smaller than `grain` but
/// the last. `body` must not throw.
template <class Body>
void in_parallel(int64_t count, int64_t grain, const Body &body) {
    const auto range = [](int64_t begin, int64_t end, void *context) {
        (*static_cast<const Body *>(context))(begin, end);
    };
    void *context = const_cast<void *>(static_cast<const void *>(&body));
    TORCH_CHECK(torch_parallel_for(0, count, grain, range, context) == 0, "the threads failed");
}

} // namespace ctorch
