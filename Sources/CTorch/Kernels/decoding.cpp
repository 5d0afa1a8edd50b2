// Attention of one new token a row to the keys and values of a cache: one call and at most one start of
// the threads, where LibTorch's operators take tens.
#include "../bridge.h"
#include "narrow_product.h"
#include "threads.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

/// One new token a row: q (B, H, D), k and v (B, G, D), the cache (B, G, capacity, D).
template <class Element>
struct Attention {
    const Element *query, *key, *value, *cosine, *sine;
    Element *keys, *values, *out;
    int64_t rows, heads, groups, size, capacity, count;
    int64_t query_stride, key_stride, value_stride, rotary_stride;
    const int64_t *first;
    float scale;
    Kernels<Element> kernels;

    /// x cos + (x's halves exchanged) sin, where sine is negated in its first half.
    void rotate(const Element *x, int64_t row, Element *turned) const {
        if (cosine == nullptr) {
            std::copy(x, x + size, turned);
            return;
        }
        const Element *c = cosine + row * rotary_stride, *s = sine + row * rotary_stride;
        const int64_t half = size / 2;
        for (int64_t d = 0; d < size; ++d) {
            const auto other = static_cast<float>(x[d < half ? d + half : d - half]);
            turned[d] = static_cast<Element>(static_cast<float>(x[d]) * static_cast<float>(c[d])
                                             + other * static_cast<float>(s[d]));
        }
    }

    /// In place; weights that sum to 1.
    static void softmax(float *scores, int64_t count, float scale) {
        float greatest = -INFINITY, sum = 0;
        for (int64_t s = 0; s < count; ++s) greatest = std::max(greatest, scores[s]);
        for (int64_t s = 0; s < count; ++s) sum += scores[s] = std::exp((scores[s] - greatest) * scale);
        for (int64_t s = 0; s < count; ++s) scores[s] /= sum;
    }

    /// The query heads of one row that share keys.
    void attend(int64_t row, int64_t group) const {
        const int64_t shared = heads / groups, start = first[row], seen = count + 1 - start;
        Element *cached_keys = keys + (row * groups + group) * capacity * size;
        Element *cached_values = values + (row * groups + group) * capacity * size;
        const Element *v = value + row * value_stride + group * size;
        rotate(key + row * key_stride + group * size, row, cached_keys + count * size);
        std::copy(v, v + size, cached_values + count * size);
        std::vector<Element> turned(shared * size);
        std::vector<float> scores(shared * seen);
        const Element *q = query + row * query_stride + group * shared * size;
        for (int64_t head = 0; head < shared; ++head)
            rotate(q + head * size, row, turned.data() + head * size);
        const Problem<Element, float> problem{turned.data(), cached_keys + start * size, nullptr,
                                              scores.data(), shared, seen, size};
        kernels.scores(problem, 0, seen);
        for (int64_t head = 0; head < shared; ++head) {
            softmax(scores.data() + head * seen, seen, scale);
            kernels.weighted_sum(scores.data() + head * seen, cached_values + start * size, seen, size,
                                 out + ((row * groups + group) * shared + head) * size);
        }
    }
};

template <class Element>
void attend(const ct_decoding_attention &call, at::Tensor &out) {
    const at::Tensor &q = call.query->value, &k = call.key->value, &v = call.value->value;
    const at::Tensor &keys = call.keys->value;
    const bool turns = call.cosine != nullptr;
    Attention<Element> job{
        q.const_data_ptr<Element>(), k.const_data_ptr<Element>(), v.const_data_ptr<Element>(),
        turns ? call.cosine->value.const_data_ptr<Element>() : nullptr,
        turns ? call.sine->value.const_data_ptr<Element>() : nullptr,
        call.keys->value.mutable_data_ptr<Element>(), call.values->value.mutable_data_ptr<Element>(),
        out.mutable_data_ptr<Element>(), q.size(0), q.size(1), keys.size(1), q.size(2), keys.size(2),
        call.count, q.stride(0), k.stride(0), v.stride(0),
        turns && call.cosine->value.numel() > q.size(2) ? q.size(2) : 0, call.first, call.scale,
        active_kernels<Element>()};
    const int64_t work = 2 * job.heads / job.groups * (job.count + 1) * job.size;
    const int64_t grain = std::max<int64_t>(1, 32768 / work);
    ctorch::in_parallel(job.rows * job.groups, grain, [&job](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) job.attend(i / job.groups, i % job.groups);
    });
}

/// (B, heads, D), each row's heads one behind the other.
bool is_heads(const at::Tensor &x, const at::Tensor &like) {
    return x.dim() == 3 && x.device().is_cpu() && x.scalar_type() == like.scalar_type()
        && x.size(0) == like.size(0) && x.size(2) == like.size(2) && x.stride(2) == 1
        && x.stride(1) == x.size(2) && !x.is_neg();
}

bool is_cache(const at::Tensor &cache, const at::Tensor &key) {
    return cache.dim() == 4 && cache.device().is_cpu() && cache.is_contiguous()
        && cache.scalar_type() == key.scalar_type() && cache.size(0) == key.size(0)
        && cache.size(1) == key.size(1) && cache.size(3) == key.size(2);
}

bool is_rotary(const at::Tensor &table, const at::Tensor &query) {
    const int64_t size = query.size(2);
    return table.device().is_cpu() && table.is_contiguous() && size % 2 == 0
        && table.scalar_type() == query.scalar_type()
        && (table.numel() == size || table.numel() == size * query.size(0));
}

bool fits(const ct_decoding_attention &call) {
    const at::Tensor &q = call.query->value, &k = call.key->value;
    if (at::GradMode::is_enabled() || q.dim() != 3 || q.numel() == 0) return false;
    if (q.scalar_type() != at::kFloat && q.scalar_type() != at::kBFloat16) return false;
    if (!is_heads(q, q) || !is_heads(k, q) || !is_heads(call.value->value, q)) return false;
    const at::Tensor &keys = call.keys->value, &values = call.values->value;
    if (!is_cache(keys, k) || !is_cache(values, k) || values.size(2) != keys.size(2)) return false;
    if (k.size(1) != call.value->value.size(1) || k.size(1) == 0 || q.size(1) % k.size(1) != 0)
        return false;
    if (call.count < 0 || call.count >= keys.size(2)) return false;
    for (int64_t row = 0; row < q.size(0); ++row)
        if (call.first[row] < 0 || call.first[row] > call.count) return false;
    return call.cosine == nullptr
        || (is_rotary(call.cosine->value, q) && is_rotary(call.sine->value, q)
            && call.cosine->value.numel() == call.sine->value.numel());
}

} // namespace

extern "C" {

ct_status ct_attend_to_cache(const ct_decoding_attention *call, ct_tensor **out) {
    return ctorch::guarded([&] {
        *out = nullptr;
        if (!fits(*call)) return;
        const at::Tensor &q = call->query->value;
        at::Tensor mixed = at::empty(q.sizes(), q.options().requires_grad(false));
        if (q.scalar_type() == at::kFloat) attend<float>(*call, mixed);
        else attend<c10::BFloat16>(*call, mixed);
        *out = ctorch::make_handle(std::move(mixed));
    });
}

} // extern "C"
