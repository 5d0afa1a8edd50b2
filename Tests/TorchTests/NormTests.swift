import DualTorch
import TestSupport
import Testing

/// Norms that add a residual: the kernels against LibTorch's operators in float64.
@Suite struct NormTests {
    enum Kind: CaseIterable {
        case root, centred

        /// x, weight and, of a layer norm, bias.
        func inputs(_ shape: [Int], deviation: Double = 1) throws -> [Tensor] {
            let size = shape[shape.count - 1]
            let x = try Tensor.seeded(shape, seed: 1, deviation: deviation, dtype: .bfloat16)
            let weight = try Tensor.seeded([size], seed: 2, dtype: .bfloat16)
            let bias = try Tensor.seeded([size], seed: 3, dtype: .bfloat16)
            return self == .root ? [x, weight] : [x, weight, bias]
        }

        func callAsFunction(_ inputs: [Tensor], adding residual: Tensor?) throws -> [Tensor] {
            let (sum, normed) =
                self == .root
                ? try inputs[0].rmsNorm(adding: residual, weight: inputs[1], epsilon: 1e-3)
                : try inputs[0].layerNorm(
                    adding: residual, weight: inputs[1], bias: inputs[2], epsilon: 1e-3)
            return [normed, sum]
        }
    }

    static let shapes = [
        [3, 1], [2, 7], [1, 16], [5, 17], [2, 2, 33], [4, 64], [3, 150], [70, 40],
    ]

    @Test(
        "Every instruction set gives the norm, and its gradients",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func plain(set: InstructionSet, dtype: DType) throws {
        for kind in Kind.allCases {
            for shape in Self.shapes {
                let inputs = try kind.inputs(shape)
                func evaluate(_ dtype: DType) throws -> Evaluation {
                    try Evaluation(inputs, as: dtype) { [try kind($0, adding: nil)[0]] }
                }
                let found = try set.limiting { try evaluate(dtype) }
                #expect(found.outputs[0].dtype == dtype)
                try found.expectClose(to: evaluate(.float64), tolerance(dtype), "\(kind) \(shape)")
            }
        }
    }

    @Test(
        "With a residual, gradients come from the norm, from the sum, and from both",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func residual(set: InstructionSet, dtype: DType) throws {
        for kind in Kind.allCases {
            for shape in Self.shapes {
                for seeded in [[0, 1], [0], [1]] as [Set<Int>] {
                    let inputs =
                        try kind.inputs(shape) + [
                            try Tensor.seeded(shape, seed: 4, dtype: .bfloat16)
                        ]
                    func evaluate(_ dtype: DType) throws -> Evaluation {
                        try Evaluation(inputs, as: dtype, seeded: seeded) {
                            try kind($0, adding: $0[$0.count - 1])
                        }
                    }
                    let found = try set.limiting { try evaluate(dtype) }
                    // A sum of rounded bfloat16 moves a row of one or a few numbers as a whole.
                    let bounds = dtype == .float32 ? tolerance(dtype) : (2e-2, 3e-2)
                    try found.expectClose(
                        to: evaluate(.float64), bounds, "\(kind) \(shape) \(seeded)")
                }
            }
        }
    }

    @Test("A bfloat16 sum is rounded as LibTorch's addition, and then normalised")
    func roundedSum() throws {
        let (x, residual) = (
            try Tensor.seeded([9, 50], seed: 1, dtype: .bfloat16),
            try Tensor.seeded([9, 50], seed: 2, dtype: .bfloat16)
        )
        let weight = try Tensor.seeded([50], seed: 3, dtype: .bfloat16)
        let (sum, normed) = try x.rmsNorm(adding: residual, weight: weight, epsilon: 1e-5)
        #expect(try sum.isIdentical(to: x + residual))
        let apart = try sum.rmsNorm(adding: nil, weight: weight, epsilon: 1e-5)
        #expect(try normed.isIdentical(to: apart.normed))
        #expect(apart.sum === sum)
    }

    @Test("Numbers far from 0 keep their variance", arguments: [DType.float32, .bfloat16])
    func farFromZero(_ dtype: DType) throws {
        let x = try (Tensor.seeded([4, 100], seed: 1) + 1000).to(.bfloat16)
        let (weight, bias) = (try Tensor.ones([100]), try Tensor.zeros([100]))
        let found = try x.to(dtype).layerNorm(
            adding: nil, weight: weight.to(dtype), bias: bias.to(dtype), epsilon: 1e-5)
        let exact = try x.to(.float64).layerNorm(
            weight: weight.to(.float64), bias: bias.to(.float64), epsilon: 1e-5)
        #expect(try found.normed.isClose(to: exact, absolute: dtype == .float32 ? 1e-3 : 2e-2))
    }

    @Test("Inputs that are not contiguous count as their copies", arguments: Kind.allCases)
    func strides(_ kind: Kind) throws {
        let plain = try kind.inputs([6, 5, 19])
        let wide = try Tensor.seeded([19, 5, 6], seed: 9).transposed(0, 2)
        func evaluate(_ x: Tensor) throws -> Evaluation {
            try Evaluation([x] + plain.dropFirst() + [plain[0]], as: .float32) {
                try kind(
                    $0, adding: $0[$0.count - 1].transposed(0, 1).contiguous().transposed(0, 1))
            }
        }
        #expect(!wide.isContiguous)
        try evaluate(wide).expectClose(to: evaluate(wide.contiguous()), (0, 0), "\(kind)")
    }

    @Test("What nobody trains costs no gradient", arguments: Kind.allCases)
    func frozenWeights(_ kind: Kind) throws {
        let inputs = try kind.inputs([3, 20]).map { try $0.to(.float32) }
        try inputs[0].requireGradient()
        let residual = try Tensor.seeded([3, 20], seed: 4)
        let outputs = try kind(inputs, adding: residual)
        #expect(outputs.map(\.requiresGradient) == [true, true])
        try (outputs[0] * outputs[1]).sum().backward()
        #expect(try inputs[0].gradient() != nil)
        #expect(try inputs[1].gradient() == nil)
        let frozen = try kind(kind.inputs([3, 20]), adding: nil)
        #expect(!frozen[0].requiresGradient)
    }

    @Test("Weights may train where the input does not", arguments: Kind.allCases)
    func weightsAlone(_ kind: Kind) throws {
        let inputs = try kind.inputs([3, 20])
        func gradient(_ dtype: DType) throws -> Tensor {
            let weight = try inputs[1].to(dtype).detached().requireGradient()
            let others = try inputs.map { try $0.to(dtype) }
            let normed = try kind([others[0], weight] + others.dropFirst(2), adding: nil)[0]
            try normed.squared().sum().backward()
            return try #require(try weight.gradient())
        }
        #expect(try gradient(.float32).relativeDifference(to: gradient(.float64)) < 1e-5)
    }

    @Test("The number of threads changes no bit")
    func threads() async {
        await #expect(processExitsWith: .success) {
            for kind in Kind.allCases {
                for dtype in [DType.float32, .bfloat16] {
                    let inputs = try kind.inputs([1000, 40])
                    let runs = try [1, 5].map { threads in
                        try TorchRuntime.setThreads(threads)
                        return try Evaluation(inputs, as: dtype) { try kind($0, adding: $0[0]) }
                    }
                    try runs[0].expectClose(to: runs[1], (0, 0), "\(kind)")
                }
            }
        }
    }

    @Test("No rows give no rows", arguments: Kind.allCases)
    func empty(_ kind: Kind) throws {
        let inputs = try kind.inputs([0, 5])
        let found = try Evaluation(inputs, as: .float32) { try kind($0, adding: $0[0]) }
        #expect(found.outputs.map(\.shape) == [[0, 5], [0, 5]])
        #expect(try found.gradients[1]?.array() == [Float](repeating: 0, count: 5))
    }

    @Test("What does not fit is refused, and a second differentiation")
    func refusals() throws {
        let (x, weight) = (try Tensor.ones([2, 8]), try Tensor.ones([8]))
        func refusal(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        let short = refusal { _ = try x.rmsNorm(adding: nil, weight: Tensor.ones([7]), epsilon: 1) }
        #expect(short.contains("the weight has the shape [7], not [8]"))
        let other = refusal {
            _ = try x.rmsNorm(adding: Tensor.ones([8]), weight: weight, epsilon: 1)
        }
        #expect(other.contains("the residual has the shape [8], not [2, 8]"))
        try x.requireGradient()
        let twice = refusal {
            _ = try x.rmsNorm(adding: nil, weight: weight, epsilon: 1).normed.sum()
                .gradients(with: [x], creatingGraph: true)
        }
        #expect(twice.contains("cannot be differentiated again"))
    }
}
