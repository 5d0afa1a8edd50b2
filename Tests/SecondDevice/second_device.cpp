// A second device, for machines that have only processors: LibTorch's PrivateUse1, in their memory.
//
// Each operator runs the processor's kernel over the same memory, so that results can be compared. What a
// real device refuses, or reads as its own memory, is refused here: a tensor of the processor among the
// device's. As with CUDA, one without dimensions counts as a number, but not in a list. A backward runs in
// a thread of the device, as CUDA's does.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <utility>
#include <vector>

namespace {

const c10::Device second(c10::DeviceType::PrivateUse1, 0);

// --- memory ---------------------------------------------------------------------------------------

void free_storage(void *storage) { delete static_cast<c10::Storage *>(storage); }

/// The memory of a storage, which it keeps alive, as memory of another device.
c10::DataPtr shared(const c10::Storage &storage, c10::Device on) {
    return {storage.mutable_data(), new c10::Storage(storage), free_storage, on};
}

struct Memory final : c10::Allocator {
    c10::DataPtr allocate(size_t bytes) override {
        c10::DataPtr taken = c10::GetAllocator(c10::kCPU)->allocate(bytes);
        void *const data = taken.get();
        const auto release = taken.get_deleter();
        return {data, taken.release_context(), release, second};
    }
    c10::DeleterFnPtr raw_deleter() const override { return nullptr; }
    void copy_data(void *target, const void *source, size_t count) const override {
        default_copy_data(target, source, count);
    }
};

Memory memory;

at::Tensor tensor_over(const c10::Storage &storage, const at::Tensor &form, c10::DispatchKey key) {
    auto made = at::detail::make_tensor<c10::TensorImpl>(
        c10::Storage(storage), c10::DispatchKeySet(key), form.dtype());
    made.unsafeGetTensorImpl()->set_sizes_and_strides(
        form.sizes(), form.strides(), form.storage_offset());
    return made;
}

// --- random numbers -------------------------------------------------------------------------------

/// A generator of the device, which draws as the processor's does.
struct Draws final : c10::GeneratorImpl {
    at::Generator inner;

    explicit Draws(at::Generator inner)
        : c10::GeneratorImpl(second, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1)),
          inner(std::move(inner)) {}
    void set_current_seed(uint64_t seed) override { inner.set_current_seed(seed); }
    void set_offset(uint64_t offset) override { inner.set_offset(offset); }
    uint64_t get_offset() const override { return inner.get_offset(); }
    uint64_t current_seed() const override { return inner.current_seed(); }
    uint64_t seed() override { return inner.seed(); }
    void set_state(const c10::TensorImpl &state) override {
        inner.unsafeGetGeneratorImpl()->set_state(state);
    }
    c10::intrusive_ptr<c10::TensorImpl> get_state() const override {
        return inner.unsafeGetGeneratorImpl()->get_state();
    }
    GeneratorImpl *clone_impl() const override { return new Draws(inner.clone()); }
};

// --- operators ------------------------------------------------------------------------------------

/// The tensors of one call: those of the device, and the processor's over the same memory.
class Call {
  public:
    /// The processor's tensor over the memory of the device's.
    at::Tensor there(const at::Tensor &ours) {
        for (const auto &[one, other] : tensors_)
            if (one.is_same(ours)) return other;
        const at::Tensor other = tensor_over(storage_there(ours), ours, c10::DispatchKey::CPU);
        tensors_.emplace_back(ours, other);
        return other;
    }

    /// The device's tensor over the memory of the processor's.
    at::Tensor here(const at::Tensor &result) {
        if (!result.defined() || !result.is_cpu()) return result;
        for (const auto &[one, other] : tensors_)
            if (other.is_same(result)) return one;
        return tensor_over(storage_here(result), result, c10::DispatchKey::PrivateUse1);
    }

    /// What the call has made of its arguments' sizes and memory.
    void finish() {
        for (auto &[one, other] : memories_) {
            if (one.data() == other.data()) continue;
            one.set_data_ptr_noswap(shared(other, second));
            one.set_nbytes(other.nbytes());
        }
        for (auto &[one, other] : tensors_) {
            if (one.sizes() == other.sizes() && one.strides() == other.strides()) continue;
            one.unsafeGetTensorImpl()->set_sizes_and_strides(
                other.sizes(), other.strides(), other.storage_offset());
        }
    }

  private:
    c10::Storage storage_there(const at::Tensor &ours) {
        for (const auto &[one, other] : memories_)
            if (one.is_alias_of(ours.storage())) return other;
        c10::Storage other(
            c10::Storage::use_byte_size_t(), ours.storage().nbytes(),
            shared(ours.storage(), c10::kCPU), c10::GetAllocator(c10::kCPU), true);
        memories_.emplace_back(ours.storage(), other);
        return other;
    }

    c10::Storage storage_here(const at::Tensor &result) {
        for (const auto &[one, other] : memories_)
            if (other.is_alias_of(result.storage())) return one;
        c10::Storage one(
            c10::Storage::use_byte_size_t(), result.storage().nbytes(),
            shared(result.storage(), second), &memory, true);
        memories_.emplace_back(one, result.storage());
        return one;
    }

    std::vector<std::pair<at::Tensor, at::Tensor>> tensors_;
    std::vector<std::pair<c10::Storage, c10::Storage>> memories_;
};

/// Arguments of one operator, turned into the processor's.
struct Arguments {
    const c10::OperatorHandle &op;
    Call &call;

    at::Tensor turned(const at::Tensor &tensor, bool is_listed) {
        if (!tensor.defined()) return tensor;
        if (tensor.device() == second) return call.there(tensor);
        TORCH_CHECK(
            tensor.dim() == 0 && !is_listed, toString(op.operator_name()),
            " mixes a tensor of ", tensor.sizes(), " on ", tensor.device(), " with those of ", second);
        return tensor;
    }

    c10::IValue turned(const c10::IValue &value) {
        if (value.isTensor()) return turned(value.toTensor(), false);
        if (value.isDevice()) return value.toDevice() == second ? c10::IValue(c10::Device("cpu")) : value;
        if (value.isGenerator()) {
            auto *draws = dynamic_cast<Draws *>(value.toGenerator().unsafeGetGeneratorImpl());
            TORCH_CHECK(draws, toString(op.operator_name()), " draws from another device");
            return draws->inner;
        }
        if (value.isTensorList()) {
            std::vector<at::Tensor> list = value.toTensorVector();
            for (auto &tensor : list) tensor = turned(tensor, true);
            return c10::IValue(list);
        }
        if (value.isOptionalTensorList()) {
            c10::List<std::optional<at::Tensor>> list;
            for (const std::optional<at::Tensor> tensor : value.toOptionalTensorList())
                list.push_back(
                    tensor ? std::optional<at::Tensor>(turned(*tensor, true)) : std::nullopt);
            return list;
        }
        return value;
    }
};

c10::IValue result(Call &call, const c10::IValue &value) {
    if (value.isTensor()) return call.here(value.toTensor());
    if (!value.isTensorList()) return value;
    std::vector<at::Tensor> list = value.toTensorVector();
    for (auto &tensor : list) tensor = call.here(tensor);
    return c10::IValue(list);
}

void run_there(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
    Call call;
    Arguments arguments{op, call};
    const size_t count = op.schema().arguments().size();
    for (auto &value : torch::jit::last(*stack, count))
        const_cast<c10::IValue &>(value) = arguments.turned(value);
    {
        at::AutoDispatchBelowADInplaceOrView guard;
        op.callBoxed(stack);
    }
    call.finish();
    const size_t results = op.schema().returns().size();
    for (auto &value : torch::jit::last(*stack, results))
        const_cast<c10::IValue &>(value) = result(call, value);
}

/// The only operator that both devices' tensors may meet in.
at::Tensor copy(const at::Tensor &source, const at::Tensor &target, bool) {
    Call call;
    const auto plain = [&](const at::Tensor &tensor) {
        return tensor.is_cpu() ? tensor : call.there(tensor);
    };
    plain(target).copy_(plain(source));
    return target;
}

/// What LibTorch calls on a device for each place of an LSTM.
std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_cell(
    const at::Tensor &input, const at::Tensor &hidden, const at::Tensor &cell,
    const std::optional<at::Tensor> &input_bias, const std::optional<at::Tensor> &hidden_bias) {
    at::Tensor gates = input + hidden;
    if (input_bias && input_bias->defined()) gates = gates + *input_bias;
    if (hidden_bias && hidden_bias->defined()) gates = gates + *hidden_bias;
    const auto part = gates.chunk(4, 1);
    const auto [i, f, o] = std::tuple(part[0].sigmoid(), part[1].sigmoid(), part[3].sigmoid());
    const auto g = part[2].tanh();
    const auto next = f * cell + i * g;
    return {o * next.tanh(), next, at::cat({i, f, g, o}, 1)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_cell_backward(
    const std::optional<at::Tensor> &at_hidden, const std::optional<at::Tensor> &at_cell,
    const at::Tensor &cell, const at::Tensor &next, const at::Tensor &workspace, bool has_bias) {
    const auto part = workspace.chunk(4, 1);
    const auto &[i, f, g, o] = std::tie(part[0], part[1], part[2], part[3]);
    const auto given = [&](const std::optional<at::Tensor> &gradient) {
        return gradient && gradient->defined() ? *gradient : at::zeros_like(next);
    };
    const auto squashed = next.tanh();
    const auto outer = given(at_hidden);
    const auto inner = given(at_cell) + outer * o * (1 - squashed * squashed);
    const auto gates = at::cat(
        {inner * g * i * (1 - i), inner * cell * f * (1 - f), inner * i * (1 - g * g),
         outer * squashed * o * (1 - o)},
        1);
    return {gates, inner * f, has_bias ? gates.sum(0) : at::Tensor()};
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
    library.fallback(torch::CppFunction::makeFromBoxedFunction<&run_there>());
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
    library.impl("_copy_from", copy);
    library.impl("_thnn_fused_lstm_cell", lstm_cell);
    library.impl("_thnn_fused_lstm_cell_backward_impl", lstm_cell_backward);
}

// --- what LibTorch asks of a device -----------------------------------------------------------------

struct Guard final : c10::impl::DeviceGuardImplInterface {
    c10::DeviceType type() const override { return second.type(); }
    c10::Device exchangeDevice(c10::Device) const override { return second; }
    c10::Device getDevice() const override { return second; }
    void setDevice(c10::Device) const override {}
    void uncheckedSetDevice(c10::Device) const noexcept override {}
    c10::Stream getStream(c10::Device) const override {
        return c10::Stream(c10::Stream::DEFAULT, second);
    }
    c10::Stream exchangeStream(c10::Stream) const override { return getStream(second); }
    c10::DeviceIndex deviceCount() const noexcept override { return 1; }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

struct Hooks final : at::PrivateUse1HooksInterface {
    bool isBuilt() const override { return true; }
    bool isAvailable() const override { return true; }
    bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
    at::Generator getNewGenerator(c10::DeviceIndex) const override {
        return at::make_generator<Draws>(at::detail::createCPUGenerator());
    }
};

const bool is_registered = [] {
    c10::SetAllocator(second.type(), &memory);
    static Hooks hooks;
    at::RegisterPrivateUse1HooksInterface(&hooks);
    // So that it counts as an accelerator, whose backward has threads of its own.
    c10::register_privateuse1_backend("privateuseone");
    return true;
}();

} // namespace
