// One generic call for every operator: looked up by name, arguments checked against its schema.
#include "bridge.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/jit_type.h>
#include <c10/core/TensorOptions.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

namespace {

using c10::IValue;
using c10::TypeKind;

const c10::OperatorHandle &find_operator(const char *full_name) {
    thread_local std::unordered_map<std::string, c10::OperatorHandle> known;
    std::string name(full_name);
    if (auto found = known.find(name); found != known.end()) return found->second;
    const auto colon = name.find("::");
    const auto dot = name.find('.', colon == std::string::npos ? 0 : colon);
    const bool overloaded = dot != std::string::npos;
    c10::OperatorName key(name.substr(0, dot), overloaded ? name.substr(dot + 1) : std::string());
    auto handle = c10::Dispatcher::singleton().findSchema(key);
    TORCH_CHECK(handle.has_value(), "this LibTorch has no operator of that name");
    return known.emplace(std::move(name), *handle).first->second;
}

[[noreturn]] void mismatch(const c10::Argument &argument, const char *found) {
    TORCH_CHECK(false, "argument '", argument.name(), "' is ", argument.type()->str(), ", not ", found);
    std::abort(); // unreachable: TORCH_CHECK(false) throws
}

IValue tensor_list(const ct_value &value, const c10::Type &element) {
    auto *const *handles = static_cast<ct_tensor *const *>(value.data);
    if (element.kind() == TypeKind::OptionalType) {
        c10::List<std::optional<at::Tensor>> list;
        list.reserve(value.count);
        for (size_t i = 0; i < value.count; ++i)
            list.push_back(handles[i] ? std::optional(handles[i]->value) : std::nullopt);
        return list;
    }
    c10::List<at::Tensor> list;
    list.reserve(value.count);
    for (size_t i = 0; i < value.count; ++i) {
        TORCH_CHECK(handles[i] != nullptr, "an absent tensor in a list that takes none");
        list.push_back(handles[i]->value);
    }
    return list;
}

IValue integer_list(const ct_value &value, const c10::Type &element) {
    const auto *numbers = static_cast<const int64_t *>(value.data);
    if (element.kind() == TypeKind::FloatType) {
        c10::List<double> list;
        for (size_t i = 0; i < value.count; ++i) list.push_back(static_cast<double>(numbers[i]));
        return list;
    }
    return c10::List<int64_t>(c10::IntArrayRef(numbers, value.count));
}

/// A list where the schema has one; a single number fills a list of fixed length ("int[2]").
IValue list_value(const ct_value &value, const c10::Argument &argument, const c10::ListType &type) {
    const c10::Type &element = *type.getElementType();
    const TypeKind kind = element.kind();
    const bool takes_numbers = kind == TypeKind::FloatType || kind == TypeKind::NumberType;
    switch (value.kind) {
    case CT_TENSORS:
        if (kind != TypeKind::TensorType && kind != TypeKind::OptionalType)
            mismatch(argument, "a list of tensors");
        return tensor_list(value, element);
    case CT_INTS:
        if (kind != TypeKind::IntType && !takes_numbers) mismatch(argument, "a list of integers");
        return integer_list(value, element);
    case CT_DOUBLES: {
        if (!takes_numbers) mismatch(argument, "a list of numbers");
        const auto *numbers = static_cast<const double *>(value.data);
        return c10::List<double>(c10::ArrayRef<double>(numbers, value.count));
    }
    case CT_BOOLS: {
        if (kind != TypeKind::BoolType) mismatch(argument, "a list of booleans");
        c10::List<bool> list;
        const auto *flags = static_cast<const uint8_t *>(value.data);
        for (size_t i = 0; i < value.count; ++i) list.push_back(flags[i] != 0);
        return list;
    }
    case CT_INT: {
        if (kind != TypeKind::IntType) mismatch(argument, "a single value");
        const auto length = static_cast<size_t>(argument.N().value_or(1));
        return c10::List<int64_t>(std::vector<int64_t>(length, value.integer));
    }
    default: mismatch(argument, "a single value");
    }
}

IValue scalar_value(const ct_value &value, const c10::Argument &argument, TypeKind kind) {
    switch (value.kind) {
    case CT_INT:
        if (kind == TypeKind::FloatType) return static_cast<double>(value.integer);
        if (kind != TypeKind::IntType && kind != TypeKind::NumberType) mismatch(argument, "an integer");
        return value.integer;
    case CT_DOUBLE:
        if (kind != TypeKind::FloatType && kind != TypeKind::NumberType) mismatch(argument, "a number");
        return value.real;
    case CT_BOOL:
        if (kind != TypeKind::BoolType && kind != TypeKind::NumberType) mismatch(argument, "a boolean");
        return value.integer != 0;
    case CT_DTYPE:
        if (kind != TypeKind::IntType) mismatch(argument, "a dtype");
        return value.integer;
    case CT_STRING:
        if (kind != TypeKind::StringType) mismatch(argument, "a string");
        return std::string(static_cast<const char *>(value.data), value.count);
    case CT_DEVICE:
        if (kind != TypeKind::DeviceObjType) mismatch(argument, "a device");
        return c10::Device(static_cast<c10::DeviceType>(value.integer),
                           static_cast<c10::DeviceIndex>(value.device_index));
    case CT_GENERATOR:
        if (kind != TypeKind::GeneratorType) mismatch(argument, "a generator");
        return static_cast<const ct_generator *>(value.data)->value;
    case CT_TENSOR:
        if (kind != TypeKind::TensorType) mismatch(argument, "a tensor");
        return static_cast<const ct_tensor *>(value.data)->value;
    default: mismatch(argument, "a list");
    }
}

IValue convert(const ct_value &value, const c10::Argument &argument) {
    const c10::Type *type = argument.type().get();
    c10::TypePtr held;
    if (type->kind() == TypeKind::OptionalType) {
        if (value.kind == CT_NONE) return {};
        held = type->castRaw<c10::OptionalType>()->getElementType();
        type = held.get();
    } else if (value.kind == CT_NONE) {
        mismatch(argument, "none");
    }
    if (const auto *list = type->castRaw<c10::ListType>()) return list_value(value, argument, *list);
    return scalar_value(value, argument, type->kind());
}

/// The stack of a call: given arguments by position, then by name, the rest from the schema.
torch::jit::Stack make_stack(const c10::FunctionSchema &schema, const ct_value *values, size_t count) {
    const auto &arguments = schema.arguments();
    torch::jit::Stack stack(arguments.size());
    std::vector<bool> given(arguments.size(), false);
    size_t position = 0;
    for (size_t i = 0; i < count; ++i) {
        size_t index = position;
        if (values[i].name != nullptr) {
            index = 0;
            while (index < arguments.size() && arguments[index].name() != values[i].name) ++index;
            TORCH_CHECK(index < arguments.size(), "no argument '", values[i].name, "' in ", schema);
        } else {
            ++position;
        }
        TORCH_CHECK(index < arguments.size(), "too many arguments for ", schema);
        TORCH_CHECK(!given[index], "argument '", arguments[index].name(), "' is given twice");
        stack[index] = convert(values[i], arguments[index]);
        given[index] = true;
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
        if (given[i]) continue;
        const auto &fallback = arguments[i].default_value();
        TORCH_CHECK(fallback.has_value(), "argument '", arguments[i].name(), "' is missing in ", schema);
        stack[i] = *fallback;
    }
    return stack;
}

void release(ct_value &value) {
    if (value.kind == CT_TENSOR) ct_tensor_free(static_cast<ct_tensor *>(const_cast<void *>(value.data)));
    if (value.kind == CT_TENSORS) {
        auto *const *handles = static_cast<ct_tensor *const *>(value.data);
        for (size_t i = 0; i < value.count; ++i) ct_tensor_free(handles[i]);
        ct_free_list(value.data);
    }
    value = ct_value{};
}

/// Refuses a tensor whose elements the caller has no type for, and would misread.
void check_type(const at::Tensor &tensor) {
    if (!tensor.defined()) return;
    switch (tensor.scalar_type()) {
    case at::kByte: case at::kChar: case at::kShort: case at::kInt: case at::kLong:
    case at::kHalf: case at::kFloat: case at::kDouble: case at::kBool: case at::kBFloat16: return;
    default: TORCH_CHECK(false, "a result of type ", tensor.scalar_type(), " cannot be returned");
    }
}

/// Collects results; frees what it collected unless they are handed over.
class Results {
public:
    void add(const IValue &value) {
        ct_value out{};
        if (value.isTensor()) {
            check_type(value.toTensor());
            if (value.toTensor().defined()) {
                out.kind = CT_TENSOR;
                out.data = ctorch::make_handle(value.toTensor());
            }
        } else if (value.isTensorList()) {
            const auto tensors = value.toTensorVector();
            for (const auto &tensor : tensors) check_type(tensor);
            auto **list = static_cast<ct_tensor **>(std::malloc(sizeof(ct_tensor *) * (tensors.size() + 1)));
            if (list == nullptr) throw std::bad_alloc();
            for (size_t i = 0; i < tensors.size(); ++i)
                list[i] = tensors[i].defined() ? ctorch::make_handle(tensors[i]) : nullptr;
            out.kind = CT_TENSORS;
            out.data = list;
            out.count = tensors.size();
        } else if (value.isTuple()) {
            for (const auto &element : value.toTupleRef().elements()) add(element);
            return;
        } else if (value.isDouble()) {
            out.kind = CT_DOUBLE;
            out.real = value.toDouble();
        } else if (value.isInt()) {
            out.kind = CT_INT;
            out.integer = value.toInt();
        } else if (value.isBool()) {
            out.kind = CT_BOOL;
            out.integer = value.toBool();
        } else {
            TORCH_CHECK(value.isNone(), "a result of type ", value.tagKind(), " cannot be returned");
        }
        values_.push_back(out);
    }

    void hand_over(ct_value *results, size_t capacity, size_t *count) {
        TORCH_CHECK(values_.size() <= capacity, values_.size(), " results, room for ", capacity);
        std::copy(values_.begin(), values_.end(), results);
        *count = values_.size();
        values_.clear();
    }

    ~Results() {
        for (auto &value : values_) release(value);
    }

private:
    std::vector<ct_value> values_;
};

} // namespace

extern "C" {

ct_status ct_call(const char *operator_name, const ct_value *arguments, size_t argument_count,
                  ct_value *results, size_t capacity, size_t *count) {
    return ctorch::guarded([&] {
        const auto &handle = find_operator(operator_name);
        auto stack = make_stack(handle.schema(), arguments, argument_count);
        handle.callBoxed(stack);
        Results collected;
        for (const auto &value : stack) collected.add(value);
        collected.hand_over(results, capacity, count);
    });
}

ct_status ct_visit_operators(const char *library, int32_t device_type, void *context,
                             void (*visit)(void *context, const char *name)) {
    return ctorch::guarded([&] {
        auto &dispatcher = c10::Dispatcher::singleton();
        const std::string prefix = std::string(library) + "::";
        for (const auto &name : dispatcher.getAllOpNames()) {
            const std::string text = c10::toString(name);
            if (text.rfind(prefix, 0) != 0) continue;
            const auto type = static_cast<c10::DeviceType>(device_type);
            if (device_type < 0
                || dispatcher.findSchemaOrThrow(name.name.c_str(), name.overload_name.c_str())
                       .hasKernelForDispatchKey(
                           c10::computeDispatchKey(std::nullopt, std::nullopt, c10::Device(type))))
                visit(context, text.c_str());
        }
    });
}

void ct_free_list(const void *list) { std::free(const_cast<void *>(list)); }

} // extern "C"
