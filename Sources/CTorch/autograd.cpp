// Gradients, and functions whose backward is a callback.
#include "bridge.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/variable.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

using torch::autograd::Node;
using torch::autograd::variable_list;

/// A backward that runs in the caller's language.
class CallbackNode final : public Node {
public:
    CallbackNode(std::string name, ct_backward_function function)
        : name_(std::move(name)), function_(function) {}

    ~CallbackNode() override { drop(); }

    CallbackNode(const CallbackNode &) = delete;
    CallbackNode &operator=(const CallbackNode &) = delete;

    std::string name() const override { return name_; }

    void release_variables() override { drop(); }

    variable_list apply(variable_list &&gradients) override {
        TORCH_CHECK(function_.run != nullptr, name_,
                    ": backward a second time, after what it saved was freed; retain the graph");
        const size_t inputs = num_outputs();
        HandleList given(gradients.size()), wanted(inputs);
        for (size_t i = 0; i < gradients.size(); ++i)
            if (gradients[i].defined()) given.handles[i] = ctorch::make_handle(gradients[i]);
        auto needed = std::make_unique<bool[]>(inputs);
        for (size_t i = 0; i < inputs; ++i) needed[i] = task_should_compute_output(i);
        const ct_status status =
            function_.run(function_.context, given.handles.data(), gradients.size(), needed.get(),
                          wanted.handles.data(), inputs);
        TORCH_CHECK(status == CT_OK, name_, ": ", ct_last_error());
        variable_list result(inputs);
        for (size_t i = 0; i < inputs; ++i)
            if (wanted.handles[i] != nullptr) result[i] = wanted.handles[i]->value;
        return result;
    }

private:
    struct HandleList {
        std::vector<ct_tensor *> handles;
        explicit HandleList(size_t count) : handles(count, nullptr) {}
        ~HandleList() {
            for (auto *handle : handles) ct_tensor_free(handle);
        }
    };

    void drop() noexcept {
        if (function_.release != nullptr) function_.release(function_.context);
        function_ = ct_backward_function{};
    }

    std::string name_;
    ct_backward_function function_;
};

// LibTorch 2.13 holds nodes by intrusive_ptr, versions before it by shared_ptr.
using NodePointer = std::decay_t<decltype(std::declval<const at::Tensor &>().grad_fn())>;

template <class Pointer>
struct MakeNode;

template <class T>
struct MakeNode<std::shared_ptr<T>> {
    static std::shared_ptr<T> from(std::unique_ptr<CallbackNode> node) {
        T *raw = node.release();
        return std::shared_ptr<T>(raw, [](T *last) { deleteNode(last); });
    }
};

template <class T>
struct MakeNode<c10::intrusive_ptr<T>> {
    static c10::intrusive_ptr<T> from(std::unique_ptr<CallbackNode> node) {
        return c10::intrusive_ptr<T>::unsafe_steal_from_new(node.release());
    }
};

variable_list list(ct_tensor *const *tensors, size_t count) {
    variable_list values;
    for (size_t i = 0; i < count; ++i) values.push_back(tensors[i]->value);
    return values;
}

bool contains(const variable_list &tensors, const at::Tensor &wanted) {
    for (const auto &tensor : tensors)
        if (tensor.is_same(wanted)) return true;
    return false;
}

/// The leaves that a graph accumulates gradients in, each once, in the order of a search in depth.
variable_list leaves_of(const variable_list &outputs, const variable_list &except) {
    std::vector<Node *> open;
    std::unordered_set<Node *> seen;
    variable_list leaves;
    for (size_t i = outputs.size(); i-- > 0;)
        if (outputs[i].requires_grad())
            open.push_back(torch::autograd::impl::gradient_edge(outputs[i]).function.get());
    while (!open.empty()) {
        Node *node = open.back();
        open.pop_back();
        if (node == nullptr || !seen.insert(node).second) continue;
        if (const auto *leaf = dynamic_cast<torch::autograd::AccumulateGrad *>(node)) {
            if (!contains(except, leaf->variable)) leaves.push_back(leaf->variable);
            continue;
        }
        for (size_t i = node->num_outputs(); i-- > 0;) open.push_back(node->next_edge(i).function.get());
    }
    return leaves;
}

} // namespace

extern "C" {

bool ct_grad_enabled(void) { return at::GradMode::is_enabled(); }

void ct_set_grad_enabled(bool enabled) { at::GradMode::set_enabled(enabled); }

bool ct_requires_grad(const ct_tensor *tensor) { return tensor->value.requires_grad(); }

ct_status ct_set_requires_grad(ct_tensor *tensor, bool value) {
    return ctorch::guarded([&] { tensor->value.set_requires_grad(value); });
}

ct_status ct_gradient(const ct_tensor *tensor, ct_tensor **out) {
    return ctorch::guarded([&] {
        const auto &gradient = tensor->value.grad();
        *out = gradient.defined() ? ctorch::make_handle(gradient) : nullptr;
    });
}

ct_status ct_set_gradient(ct_tensor *tensor, const ct_tensor *gradient) {
    return ctorch::guarded([&] {
        tensor->value.mutable_grad() = gradient == nullptr ? at::Tensor() : gradient->value;
    });
}

ct_status ct_backward(const ct_tensor *root, const ct_tensor *seed, bool retain_graph,
                      bool create_graph) {
    return ctorch::guarded([&] {
        const auto given = seed == nullptr ? variable_list{} : variable_list{seed->value};
        torch::autograd::backward({root->value}, given, retain_graph, create_graph);
    });
}

ct_status ct_grad(ct_tensor *const *roots, ct_tensor *const *seeds, size_t root_count,
                  ct_tensor *const *inputs, size_t count, bool retain_graph, bool create_graph,
                  ct_tensor **gradients) {
    return ctorch::guarded([&] {
        variable_list given;
        for (size_t i = 0; i < root_count; ++i)
            given.push_back(seeds[i] == nullptr ? at::Tensor() : seeds[i]->value);
        const auto found = torch::autograd::grad(list(roots, root_count), list(inputs, count), given,
                                                 retain_graph, create_graph, true);
        for (size_t i = 0; i < count; ++i)
            gradients[i] = found[i].defined() ? ctorch::make_handle(found[i]) : nullptr;
    });
}

bool ct_backward_keeps_graph(void) { return torch::autograd::get_current_graph_task_keep_graph(); }

ct_status ct_graph_leaves(ct_tensor *const *outputs, size_t count, ct_tensor *const *except,
                          size_t except_count, const void **leaves, size_t *leaf_count) {
    return ctorch::guarded([&] {
        const auto found = leaves_of(list(outputs, count), list(except, except_count));
        auto **handles = static_cast<ct_tensor **>(std::malloc((found.size() + 1) * sizeof(ct_tensor *)));
        if (handles == nullptr) throw std::bad_alloc();
        for (size_t i = 0; i < found.size(); ++i) handles[i] = ctorch::make_handle(found[i]);
        *leaves = handles;
        *leaf_count = found.size();
    });
}

ct_status ct_attach_backward(const char *name, ct_tensor *const *inputs, size_t input_count,
                             ct_tensor *const *outputs, size_t output_count,
                             ct_backward_function function) {
    std::unique_ptr<CallbackNode> node;
    const ct_status created =
        ctorch::guarded([&] { node = std::make_unique<CallbackNode>(name, function); });
    if (created != CT_OK) {
        function.release(function.context);
        return created;
    }
    return ctorch::guarded([&] {
        const variable_list sources = list(inputs, input_count);
        if (!torch::autograd::compute_requires_grad(sources)) return;
        node->set_next_edges(torch::autograd::collect_next_edges(sources));
        NodePointer shared = MakeNode<NodePointer>::from(std::move(node));
        for (size_t i = 0; i < output_count; ++i)
            torch::autograd::set_history(outputs[i]->value, shared);
    });
}

} // extern "C"
