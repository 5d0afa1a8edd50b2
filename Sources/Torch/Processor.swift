import Foundation

/// What is known of this machine's processor before anything is computed.
package struct Processor: Sendable {
    /// How fast it multiplies numbers of bfloat16, with the words that say why.
    package enum Speed: Equatable, Sendable {
        case fast(because: String)
        case slow(because: String)
        /// Nothing that is known of it tells.
        case untold
    }

    package var instructionSet: InstructionSet
    /// Whether the instruction set tells it: of another architecture none is known.
    package var isKnown: Bool
    package var environment: [String: String]

    package init(
        instructionSet: InstructionSet, isKnown: Bool = true, environment: [String: String] = [:]
    ) {
        self.instructionSet = instructionSet
        self.isKnown = isKnown
        self.environment = environment
    }

    package static var ofMachine: Processor {
        Processor(
            instructionSet: .ofMachine, isKnown: isX86,
            environment: ProcessInfo.processInfo.environment)
    }

    static var isX86: Bool {
        #if arch(x86_64)
            true
        #else
            false
        #endif
    }

    package var bfloat16Products: Speed {
        if let limit {
            return .slow(because: "\(limit) asks for a processor without fast bfloat16 products")
        }
        guard isKnown else { return .untold }
        // A processor with AMX has AVX512-BF16 too.
        let name = "this processor (\(instructionSet.title))"
        return instructionSet == .avx512BFloat16
            ? .fast(because: "\(name) has fast products of it")
            : .slow(
                because: "\(name) has no fast bfloat16 products; `dtype` bfloat16 is slower here")
    }

    /// A variable of the environment that keeps from LibTorch, from this package's kernels or from oneDNN,
    /// which makes LibTorch's products of bfloat16, what they need for fast ones.
    private var limit: String? {
        Self.limits.lazy.compactMap { name, values in
            environment[name].map { (name, $0, values) }
        }.first { $2.contains($1.lowercased()) }.map { name, value, _ in "\(name)=\(value)" }
    }

    private static let limits = [
        ("ATEN_CPU_CAPABILITY", ["default", "avx2"]), ("ONEDNN_MAX_CPU_ISA", isas),
        ("DNNL_MAX_CPU_ISA", isas),
    ]
    /// What oneDNN calls instruction sets without bfloat16.
    private static let isas = [
        "sse41", "avx", "avx2", "avx2_vnni", "avx2_vnni_2", "avx512_core", "avx512_core_vnni",
    ]
}
