// Which of the instruction sets that the kernels are compiled for this machine has, and threads use.
#pragma once

namespace ctorch {

/// From the least to the most able.
enum class InstructionSet { portable, avx2, avx512, avx512_bf16 };

/// What kernels that are started from this thread are to use: the best that the machine has, or less
/// where a test asks for it.
InstructionSet active_instruction_set();

} // namespace ctorch
