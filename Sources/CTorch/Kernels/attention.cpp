// softmax(s q kᵀ) v of whole sequences, of which each query sees the keys that a rule gives it:
//
//     S = s q kᵀ,  P = e^(S - L),  L = log Σ e^S,  o = P v
//     ∂v = Pᵀ ∂o,  ∂P = ∂o vᵀ,  ∂S = P ⊙ (∂P - Σ ∂o o),  ∂q = s ∂S k,  ∂k = s ∂Sᵀ q
//
// The backward is that of Dao et al. 2022, arXiv:2205.14135: only o and L are kept, scores are computed
// anew block by block. A thread takes one head of one sequence, or in the backward those heads that
// share keys, so that nothing is summed up between threads.
#include "checks.h"
#include "instruction_sets.h"
#include "operators.h"
#include "threads.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

/// Tokens of one row that see one another.
struct Sequence {
    int64_t row, start, length;
};

struct AttentionRule {
    int64_t size, heads, heads_of_group, tokens;
    bool causal;
    int64_t window; // keys that a query sees, its own counted; 0 for all
    float scale;
};

/// (B, heads, T, D) with any strides but in D.
template <class Element>
struct Heads {
    Element *data;
    int64_t row, head, token;

    Element *at(const Sequence &sequence, int64_t index) const {
        return data + sequence.row * row + index * head + sequence.start * token;
    }
};

template <class Element>
struct AttentionForward {
    AttentionRule rule;
    Heads<const Element> query, key, value;
    Heads<Element> out;
    float *log_sums; // (B, H, T)
};

template <class Element>
struct AttentionBackward {
    AttentionRule rule;
    Heads<const Element> query, key, value, out, gradient;
    const float *log_sums;
    Heads<Element> at_query, at_key, at_value;
};

#define KERNEL_FILE "attention_kernel.inc"
#include "each_instruction_set.inc"
#undef KERNEL_FILE

template <class Element>
Heads<const Element> read(const at::Tensor &x) {
    return {x.const_data_ptr<Element>(), x.stride(0), x.stride(1), x.stride(2)};
}

template <class Element>
Heads<Element> write(const at::Tensor &x) {
    return {x.mutable_data_ptr<Element>(), x.stride(0), x.stride(1), x.stride(2)};
}

/// (B, heads, T, D) over memory (B, T, heads, D), as the projection behind it wants it; zeros where no
/// sequence lies.
at::Tensor new_heads(const at::Tensor &like, bool whole) {
    const std::vector<int64_t> sizes{like.size(0), like.size(2), like.size(1), like.size(3)};
    return (whole ? at::empty(sizes, like.options()) : at::zeros(sizes, like.options()))
        .transpose(1, 2);
}

void check_heads(const at::Tensor &x, const at::Tensor &query, const char *name) {
    TORCH_CHECK(x.dim() == 4 && x.size(0) == query.size(0) && x.size(2) == query.size(2)
                    && x.size(3) == query.size(3),
                "attention: ", name, " ", x.sizes(), " does not go with the query, ", query.sizes());
    TORCH_CHECK(x.scalar_type() == query.scalar_type(), "attention: ", name, " is of another type");
    TORCH_CHECK(x.size(3) < 2 || x.stride(3) == 1, "attention: ", name, "'s heads are not contiguous");
}

std::vector<Sequence> sequences_of(at::IntArrayRef numbers, const at::Tensor &query) {
    TORCH_CHECK(numbers.size() % 3 == 0, "attention: a sequence is a row, a start and a length");
    std::vector<Sequence> sequences;
    for (size_t i = 0; i < numbers.size(); i += 3) {
        const Sequence sequence{numbers[i], numbers[i + 1], numbers[i + 2]};
        TORCH_CHECK(sequence.row >= 0 && sequence.row < query.size(0) && sequence.start >= 0
                        && sequence.length >= 0 && sequence.length <= query.size(2)
                        && sequence.start <= query.size(2) - sequence.length,
                    "attention: a sequence lies outside the rows");
        if (sequence.length > 0) sequences.push_back(sequence);
    }
    return sequences;
}

bool are_whole(const std::vector<Sequence> &sequences, const at::Tensor &query) {
    int64_t tokens = 0;
    for (const auto &sequence : sequences) tokens += sequence.length;
    return tokens == query.size(0) * query.size(2);
}

AttentionRule rule_of(const at::Tensor &query, const at::Tensor &key, bool causal, int64_t window,
                      double scale) {
    ctorch::check_kernel_type("attention", query);
    TORCH_CHECK(query.dim() == 4, "attention: the query is not (rows, heads, tokens, size)");
    TORCH_CHECK(key.dim() == 4 && key.size(1) > 0 && query.size(1) % key.size(1) == 0,
                "attention: ", query.sizes(), " is no multiple of the heads of the keys, ", key.sizes());
    TORCH_CHECK(window >= 0 && (causal || window == 0), "attention: a window needs causality");
    return {query.size(3), query.size(1), query.size(1) / key.size(1), query.size(2), causal, window,
            static_cast<float>(scale)};
}

/// Runs body(sequence, index) for every sequence and each of `count` heads.
template <class Body>
void for_each_head(const std::vector<Sequence> &sequences, int64_t count, const Body &body) {
    ctorch::in_parallel(static_cast<int64_t>(sequences.size()) * count, 1,
                        [&](int64_t begin, int64_t end) {
                            for (int64_t i = begin; i < end; ++i)
                                body(sequences[static_cast<size_t>(i / count)], i % count);
                        });
}

} // namespace

namespace ctorch {

std::tuple<at::Tensor, at::Tensor> attention(const at::Tensor &query, const at::Tensor &key,
                                             const at::Tensor &value, at::IntArrayRef sequences,
                                             bool causal, int64_t window, double scale) {
    const AttentionRule rule = rule_of(query, key, causal, window, scale);
    for (const auto &[x, name] : {std::pair(&query, "the query"), std::pair(&key, "the key"),
                                  std::pair(&value, "the value")})
        check_heads(*x, query, name);
    TORCH_CHECK(key.size(1) == value.size(1), "attention: keys and values differ in their heads");
    const auto list = sequences_of(sequences, query);
    const at::Tensor out = new_heads(query, are_whole(list, query));
    const at::Tensor log_sums =
        at::zeros({query.size(0), query.size(1), query.size(2)}, query.options().dtype(at::kFloat));
    const auto run = [&]<class Element>(Element) {
        const AttentionForward<Element> job{rule, read<Element>(query), read<Element>(key),
                                            read<Element>(value), write<Element>(out),
                                            log_sums.mutable_data_ptr<float>()};
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(forward_kernel<Element>);
        for_each_head(list, rule.heads, [&](const Sequence &sequence, int64_t head) {
            kernel(job, sequence, head);
        });
    };
    ctorch::for_element_type(query, run);
    return {out, log_sums};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> attention_backward(
    const at::Tensor &gradient, const at::Tensor &query, const at::Tensor &key,
    const at::Tensor &value, const at::Tensor &out, const at::Tensor &log_sums,
    at::IntArrayRef sequences, bool causal, int64_t window, double scale) {
    const AttentionRule rule = rule_of(query, key, causal, window, scale);
    for (const auto &[x, name] :
         {std::pair(&query, "the query"), std::pair(&key, "the key"), std::pair(&value, "the value"),
          std::pair(&out, "the output"), std::pair(&gradient, "the gradient")})
        check_heads(*x, query, name);
    TORCH_CHECK(key.size(1) == value.size(1) && out.sizes() == query.sizes()
                    && gradient.sizes() == query.sizes() && log_sums.is_contiguous()
                    && log_sums.numel() == query.size(0) * query.size(1) * query.size(2)
                    && log_sums.scalar_type() == at::kFloat,
                "attention: what the backward is given is not what the forward gave");
    const auto list = sequences_of(sequences, query);
    const bool whole = are_whole(list, query);
    const at::Tensor at_query = new_heads(query, whole), at_key = new_heads(key, whole),
                     at_value = new_heads(value, whole);
    const auto run = [&]<class Element>(Element) {
        const AttentionBackward<Element> job{
            rule, read<Element>(query), read<Element>(key), read<Element>(value), read<Element>(out),
            read<Element>(gradient), log_sums.const_data_ptr<float>(), write<Element>(at_query),
            write<Element>(at_key), write<Element>(at_value)};
        const auto kernel = FOR_ACTIVE_INSTRUCTION_SET(backward_kernel<Element>);
        for_each_head(list, key.size(1), [&](const Sequence &sequence, int64_t shared) {
            kernel(job, sequence, shared);
        });
    };
    ctorch::for_element_type(query, run);
    return {at_query, at_key, at_value};
}

} // namespace ctorch
