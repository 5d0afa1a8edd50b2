// Random generators with a seed and a state that can be saved.
#include "bridge.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <mutex>

extern "C" {

ct_status ct_generator_new(uint64_t seed, int32_t device_type, int32_t device_index,
                           ct_generator **out) {
    return ctorch::guarded([&] {
        const auto type = static_cast<c10::DeviceType>(device_type);
        at::Generator generator;
        if (type == c10::DeviceType::CPU) {
            generator = at::detail::createCPUGenerator(seed);
        } else {
            const auto index = static_cast<c10::DeviceIndex>(device_index);
            generator = at::globalContext().getAcceleratorHooksInterface(type).getNewGenerator(index);
            generator.set_current_seed(seed);
        }
        *out = new ct_generator{std::move(generator)};
    });
}

void ct_generator_free(ct_generator *generator) { delete generator; }

ct_status ct_generator_state(ct_generator *generator, ct_tensor **out) {
    return ctorch::guarded([&] {
        std::lock_guard<std::mutex> lock(generator->value.mutex());
        *out = ctorch::make_handle(generator->value.get_state());
    });
}

ct_status ct_generator_set_state(ct_generator *generator, const ct_tensor *state) {
    return ctorch::guarded([&] {
        std::lock_guard<std::mutex> lock(generator->value.mutex());
        generator->value.set_state(state->value);
    });
}

} // extern "C"
