#include "instruction_sets.h"

#include "../include/ctorch.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace {

using ctorch::InstructionSet;

bool machine_has(InstructionSet set) {
#if defined(__x86_64__)
    switch (set) {
    case InstructionSet::portable: return true;
    case InstructionSet::avx2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
            && __builtin_cpu_supports("f16c");
    case InstructionSet::avx512:
        return machine_has(InstructionSet::avx2) && __builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl");
    case InstructionSet::avx512_bf16:
        return machine_has(InstructionSet::avx512) && __builtin_cpu_supports("avx512bf16");
    }
#endif
    return set == InstructionSet::portable;
}

thread_local InstructionSet limit = InstructionSet::avx512_bf16;

/// LibTorch's own variable, so that one setting limits both.
InstructionSet limit_of_environment() {
    const char* const name = std::getenv("ATEN_CPU_CAPABILITY");
    const std::string_view most = name ? name : "";
    if (most == "default") return InstructionSet::portable;
    return most == "avx2" ? InstructionSet::avx2 : InstructionSet::avx512_bf16;
}

InstructionSet best_of_machine() {
    for (const auto set :
         {InstructionSet::avx512_bf16, InstructionSet::avx512, InstructionSet::avx2})
        if (set <= limit_of_environment() && machine_has(set)) return set;
    return InstructionSet::portable;
}

} // namespace

InstructionSet ctorch::active_instruction_set() {
    static const InstructionSet best = best_of_machine();
    return std::min(best, limit);
}

extern "C" {

ct_instruction_set ct_instruction_set_of_machine(void) {
    return static_cast<ct_instruction_set>(best_of_machine());
}

void ct_limit_instruction_set(ct_instruction_set most) {
    limit = static_cast<InstructionSet>(most);
}

} // extern "C"
