// Threads, devices and the library's version.
#include "bridge.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/detail/MPSHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

#include <dlfcn.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <climits>
#include <string>

namespace {

/// The folder of the LibTorch that this process has loaded.
std::string folder_of_libtorch() {
    Dl_info found{};
    if (dladdr(reinterpret_cast<void *>(&at::get_num_threads), &found) == 0 || !found.dli_fname)
        return "";
    const std::string path = found.dli_fname;
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// Refuses a LibTorch of another version than the one whose declarations this was compiled with.
void check_version() {
    const std::string name = "TORCH_VERSION=", settings = at::show_config();
    const auto start = settings.find(name);
    if (start == std::string::npos) return;
    const auto first = start + name.size();
    const auto loaded = settings.substr(first, settings.find_first_of(", \n", first) - first);
    TORCH_CHECK(
        loaded == TORCH_VERSION, "the LibTorch in ", folder_of_libtorch(), " is version ", loaded,
        "; this program was built with ", TORCH_VERSION);
}

/// The kernels of CUDA lie in a library of their own, which nothing links: loading it registers them. It
/// has to be the one beside the LibTorch that is loaded.
void load_cuda() {
#ifndef __APPLE__
    const std::string folder = folder_of_libtorch(), path = folder + "/libtorch_cuda.so";
    TORCH_CHECK(
        access(path.c_str(), F_OK) == 0, "the LibTorch in ", folder,
        " is a build without CUDA: it has no libtorch_cuda.so");
    TORCH_CHECK(
        dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL), path, " cannot be loaded: ", dlerror());
#endif
}

void check_count(c10::DeviceType type, int32_t index, int64_t count) {
    TORCH_CHECK(count > 0, "LibTorch finds no such device here");
    TORCH_CHECK(index < count, "LibTorch finds ", count, " of them here, counted from 0");
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

ct_status ct_device_check(int32_t device_type, int32_t device_index) {
    const auto type = static_cast<c10::DeviceType>(device_type);
    return ctorch::guarded([&] {
        if (type == c10::DeviceType::CPU) return;
        check_version();
        if (type == c10::DeviceType::CUDA) {
            load_cuda();
            check_count(type, device_index, at::detail::getCUDAHooks().deviceCount());
        } else if (type == c10::DeviceType::MPS) {
            check_count(type, device_index, at::globalContext().hasMPS() ? 1 : 0);
        } else {
            const auto *guard = c10::impl::device_guard_impl_registry[device_type].load();
            check_count(type, device_index, guard ? guard->deviceCount() : 0);
        }
    });
}

ct_status ct_device_wait(int32_t device_type, int32_t device_index) {
    return ctorch::guarded([&] {
        const auto type = static_cast<c10::DeviceType>(device_type);
        if (type == c10::DeviceType::MPS) return at::detail::getMPSHooks().deviceSynchronize();
        if (type != c10::DeviceType::CUDA) return;
        const c10::impl::VirtualGuardImpl guard(type);
        guard.synchronizeDevice(
            device_index < 0 ? guard.getDevice().index()
                             : static_cast<c10::DeviceIndex>(device_index));
    });
}

} // extern "C"
