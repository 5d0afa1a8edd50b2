import CTorch

/// What the kernels of this package are compiled for, from the least to the most able.
public enum InstructionSet: String, CaseIterable, Sendable, Comparable {
    case portable
    case avx2
    case avx512
    case avx512BFloat16

    /// The best that the machine has and `ATEN_CPU_CAPABILITY` allows, which kernels use.
    public static var ofMachine: InstructionSet {
        allCases.first { $0.number == ct_instruction_set_of_machine() } ?? .portable
    }

    /// As its makers call it.
    public var title: String {
        switch self {
        case .portable: Processor.isX86 ? "x86-64 without AVX2" : "portable"
        case .avx2: "AVX2"
        case .avx512: "AVX-512"
        case .avx512BFloat16: "AVX512-BF16"
        }
    }

    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.number.rawValue < right.number.rawValue
    }

    private var number: ct_instruction_set {
        switch self {
        case .portable: CT_PORTABLE
        case .avx2: CT_AVX2
        case .avx512: CT_AVX512
        case .avx512BFloat16: CT_AVX512_BF16
        }
    }

    /// Runs `body` with kernels that use no more than this, on the thread that calls it: for tests.
    package func limiting<Result>(_ body: () throws -> Result) rethrows -> Result {
        ct_limit_instruction_set(number)
        defer { ct_limit_instruction_set(CT_AVX512_BF16) }
        return try body()
    }
}
