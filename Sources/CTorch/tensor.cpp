// Tensor handles: life, shape, and tensors over memory that someone else owns.
#include "bridge.h"

#include <ATen/ops/from_blob.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace {

std::atomic<int64_t> live_tensors{0};
thread_local std::string last_error;

} // namespace

namespace ctorch {

ct_tensor *make_handle(at::Tensor value) {
    auto *handle = new ct_tensor{std::move(value)};
    live_tensors.fetch_add(1, std::memory_order_relaxed);
    return handle;
}

void set_error(const char *message) noexcept {
    try {
        last_error = message == nullptr ? "" : message;
    } catch (...) {
        last_error.clear();
    }
}

} // namespace ctorch

extern "C" {

const char *ct_last_error(void) { return last_error.c_str(); }

void ct_set_error(const char *message) { ctorch::set_error(message); }

void ct_tensor_free(ct_tensor *tensor) {
    if (tensor == nullptr) return;
    live_tensors.fetch_sub(1, std::memory_order_relaxed);
    delete tensor;
}

ct_status ct_tensor_share(const ct_tensor *tensor, ct_tensor **out) {
    return ctorch::guarded([&] { *out = ctorch::make_handle(tensor->value); });
}

int64_t ct_live_tensors(void) { return live_tensors.load(std::memory_order_relaxed); }

int64_t ct_tensor_dimensions(const ct_tensor *tensor) { return tensor->value.dim(); }

int64_t ct_tensor_size(const ct_tensor *tensor, int64_t dimension) {
    return tensor->value.sizes()[static_cast<size_t>(dimension)];
}

int64_t ct_tensor_stride(const ct_tensor *tensor, int64_t dimension) {
    return tensor->value.strides()[static_cast<size_t>(dimension)];
}

int64_t ct_tensor_count(const ct_tensor *tensor) { return tensor->value.numel(); }

int32_t ct_tensor_dtype(const ct_tensor *tensor) {
    return static_cast<int32_t>(tensor->value.scalar_type());
}

int32_t ct_tensor_device_type(const ct_tensor *tensor) {
    return static_cast<int32_t>(tensor->value.device().type());
}

int32_t ct_tensor_device_index(const ct_tensor *tensor) { return tensor->value.device().index(); }

bool ct_tensor_is_contiguous(const ct_tensor *tensor) { return tensor->value.is_contiguous(); }

void *ct_tensor_data(const ct_tensor *tensor) {
    if (!tensor->value.device().is_cpu()) return nullptr;
    return const_cast<void *>(tensor->value.const_data_ptr());
}

ct_status ct_tensor_over_memory(void *data, const int64_t *sizes, size_t dimensions, int32_t dtype,
                                void (*release)(void *context), void *context, ct_tensor **out) {
    return ctorch::guarded([&] {
        // Whoever goes last releases: the storage, or this call if it fails, even half-way.
        std::shared_ptr<void> owner(context, release);
        auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
        std::function<void(void *)> deleter = [owner](void *) {};
        *out = ctorch::make_handle(
            at::from_blob(data, at::IntArrayRef(sizes, dimensions), std::move(deleter), options));
    });
}

} // extern "C"
