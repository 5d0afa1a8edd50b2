// Threads, devices and the library's version.
#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <dlfcn.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <climits>

namespace {

/// The kernels of an accelerator lie in a library of their own, which nothing links: loading it
/// registers them.
void load_accelerator_library(const char *name) {
#ifdef __APPLE__
    (void)name;
#else
    dlopen(name, RTLD_NOW | RTLD_GLOBAL);
#endif
}

} // namespace

extern "C" {

const char *ct_version(void) { return TORCH_VERSION; }

int ct_threads(void) { return at::get_num_threads(); }

ct_status ct_set_threads(int count) {
    return ctorch::guarded([&] { at::set_num_threads(count); });
}

void ct_keep_freed_memory(void) {
#if defined(__GLIBC__)
    // Blocks of up to 1 GiB come from the heap, whose end is not given back.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_TOP_PAD, 64 << 20);
#endif
}

bool ct_device_available(int32_t device_type) {
    const auto type = static_cast<c10::DeviceType>(device_type);
    bool available = false;
    const ct_status status = ctorch::guarded([&] {
        if (type == c10::DeviceType::CPU) available = true;
        if (type == c10::DeviceType::CUDA) {
            load_accelerator_library("libtorch_cuda.so");
            available = at::globalContext().hasCUDA();
        }
        if (type == c10::DeviceType::MPS) available = at::globalContext().hasMPS();
    });
    return status == CT_OK && available;
}

} // extern "C"
