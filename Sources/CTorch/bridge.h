// What the files of this target share: handles and the boundary that no exception passes.
#pragma once

#include "include/ctorch.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

struct ct_tensor {
    at::Tensor value;
};

struct ct_generator {
    at::Generator value;
};

namespace ctorch {

/// A handle that the caller owns. Counted: ct_live_tensors tells how many there are.
ct_tensor *make_handle(at::Tensor value);

void set_error(const char *message) noexcept;

/// Runs `body`; every exception becomes a status and a message.
template <class Body>
ct_status guarded(Body &&body) noexcept {
    try {
        body();
        return CT_OK;
    } catch (const c10::OutOfMemoryError &error) {
        set_error(error.what_without_backtrace());
        return CT_OUT_OF_MEMORY;
    } catch (const c10::Error &error) {
        // The CPU allocator reports exhaustion as a plain error.
        set_error(error.what_without_backtrace());
        const std::string text = error.what_without_backtrace();
        return text.find("DefaultCPUAllocator") == std::string::npos ? CT_FAILED : CT_OUT_OF_MEMORY;
    } catch (const std::bad_alloc &) {
        set_error("out of memory");
        return CT_OUT_OF_MEMORY;
    } catch (const std::exception &error) {
        set_error(error.what());
        return CT_FAILED;
    } catch (...) {
        set_error("an unknown exception");
        return CT_FAILED;
    }
}

} // namespace ctorch
