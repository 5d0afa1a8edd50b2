import TestSupport
import Testing

@testable import DualTorch

/// What kernels declare that they take, against what LibTorch's dispatcher has of them and what they
/// compute with.
@Suite struct KernelSupportTests {
    static let kernels: [any FusedKernel.Type] = [
        AttentionKernel.self, ColumnScaleKernel.self, CrossEntropyKernel.self,
        DequantizationKernel.self, DualLoRAKernel.self, ElementKernel.self, FoldKernel.self,
        HiRAKernel.self, LowRankKernel.self, NormKernel.self, QuantizationKernel.self,
        RotaryKernel.self,
    ]
    static let operators = kernels.flatMap { kernel in kernel.operators.map { (kernel, $0) } }

    @Test("Every operator that is registered is declared, for the devices that it is there for")
    func everyOperatorIsDeclared() throws {
        let declared = Self.operators.map(\.1)
        #expect(declared.count == Set(declared).count)
        #expect(try Set(declared) == registeredOperators(of: "duallora"))
        for device in Device.Kind.allCases {
            let there = Self.operators.filter { kernel, _ in
                kernel.support.rows.contains { $0.device == device }
            }
            #expect(try Set(there.map(\.1)) == registeredOperators(of: "duallora", on: device))
        }
    }

    @Test("A kernel computes with the types that it declares, and neither takes nor knows others")
    func types() throws {
        for (kernel, name) in Self.operators {
            let call = try #require(KernelCall.all[name], "\(name) has no call")
            let row = try #require(kernel.support.rows.first { $0.device == .cpu })
            for values in DType.allCases {
                for weights in DType.allCases where call.hasWeights || weights == .float32 {
                    let given = KernelCall.Given(values: values, weights: weights)
                    let isDeclared =
                        row.dtypes.contains(values)
                        && (row.dtypes + row.storedTypes).contains(weights)
                    #expect(
                        try kernel.takes(
                            given.values([4, 6]), weights: [given.weight([4, 6])]) == isDeclared)
                    if isDeclared {
                        #expect(throws: Never.self, "\(name), \(values), \(weights)") {
                            try call.run(given)
                        }
                    } else {
                        #expect(throws: TorchError.self, "\(name), \(values), \(weights)") {
                            try call.run(given)
                        }
                    }
                }
            }
        }
    }

    @Test("A kernel that takes values as they lie gives what it gives for contiguous ones")
    func layouts() throws {
        for (kernel, name) in Self.operators {
            let call = try #require(KernelCall.all[name], "\(name) has no call")
            let row = try #require(kernel.support.rows.first { $0.device == .cpu })
            for dtype in row.dtypes {
                let given = KernelCall.Given(values: dtype, weights: dtype, isTransposed: true)
                let isTaken = try kernel.takes(given.values([4, 6]))
                #expect(isTaken == !row.needsContiguousValues)
                guard isTaken else {
                    #expect(throws: TorchError.self, "\(name)") { try call.run(given) }
                    continue
                }
                let plain = KernelCall.Given(values: dtype, weights: dtype)
                for (found, expected) in try zip(call.run(given), call.run(plain)) {
                    #expect(try found.isIdentical(to: expected), "\(name), \(dtype)")
                }
            }
        }
    }

    @Test("Values share a type and a device; factors are contiguous float32")
    func operands() throws {
        let support = KernelSupport(.cpu)
        let (x, factor) = (try Tensor.zeros([2, 3], dtype: .bfloat16), try Tensor.zeros([2, 3]))
        #expect(support.takes([x, nil, x], weights: [nil, factor], factors: [nil, factor]))
        #expect(!support.takes([x, factor]))
        #expect(!support.takes([nil, x]))
        #expect(!support.takes([x], factors: [x]))
        #expect(try !support.takes([x], factors: [factor.transposed()]))
        let elsewhere = KernelSupport.Row(device: .cuda, needsContiguousValues: false)
        #expect(!KernelSupport(elsewhere).takes([x]))
        #expect(KernelSupport(elsewhere, .cpu).takes([x]))
    }
}

extension FusedKernel {
    fileprivate static var operators: [String] { allCases.map(\.rawValue) }
}

/// A call of an operator by its typed function, with arguments of given types.
private struct KernelCall: Sendable {
    /// Makes the arguments.
    struct Given: Sendable {
        let values, weights: DType
        /// Whether values and weights lie in memory as their transposes.
        var isTransposed = false

        func values(_ shape: [Int], seed: UInt64 = 1) throws -> Tensor {
            try laid(shape, seed: seed, values)
        }

        func weight(_ shape: [Int]) throws -> Tensor { try laid(shape, seed: 9, weights) }

        /// Memory that an operator writes to.
        func room(_ shape: [Int]) throws -> Tensor { try .zeros(shape, dtype: values) }

        func factor(_ shape: [Int], seed: UInt64 = 2) throws -> Tensor {
            try .seeded(shape, seed: seed)
        }

        private func laid(_ shape: [Int], seed: UInt64, _ dtype: DType) throws -> Tensor {
            let tensor = try Tensor.seeded(shape, seed: seed, dtype: dtype)
            guard isTransposed, shape.count > 1 else { return tensor }
            return try tensor.transposed().contiguous().transposed()
        }
    }

    /// Whether weights may be of another type than the values.
    var hasWeights = false
    let run: @Sendable (Given) throws -> [Tensor]

    static let all: [String: KernelCall] = elements.merging(norms) { $1 }.merging(attention) { $1 }
        .merging(updates) { $1 }.merging(paths) { $1 }

    private static let elements: [String: KernelCall] = [
        "duallora::elementwise": KernelCall {
            [try ElementKernel.map($0.values([4, 6]), by: .silu)]
        },
        "duallora::elementwise_backward": KernelCall {
            [
                try ElementKernel.gradient(
                    from: $0.values([4, 6]), at: $0.values([4, 6], seed: 2), of: .silu)
            ]
        },
        "duallora::gated": KernelCall {
            [
                try ElementKernel.gate(
                    $0.values([4, 6]), by: $0.values([4, 6], seed: 2), through: .gelu)
            ]
        },
        "duallora::gated_backward": KernelCall {
            let found = try ElementKernel.gatedGradients(
                from: $0.values([4, 6]), gate: $0.values([4, 6], seed: 2),
                up: $0.values([4, 6], seed: 3), of: .gelu)
            return [found.gate, found.up]
        },
        "duallora::rotary": KernelCall {
            [
                try RotaryKernel.turn(
                    $0.values([1, 4, 2, 6]), cosine: $0.values([4, 6], seed: 2),
                    signedSine: $0.values([4, 6], seed: 3), backward: false)
            ]
        },
        "duallora::cross_entropy_": KernelCall {
            let logits = try $0.values([4, 6])
            let losses = try CrossEntropyKernel.losses(
                logits, Tensor([0, 1, 2, 5]), gradientScale: 1, labelSmoothing: 0.1)
            return [losses, logits]
        },
    ]

    private static let norms: [String: KernelCall] = [
        "duallora::rms_norm": forward(hasBias: false),
        "duallora::layer_norm": forward(hasBias: true),
        "duallora::rms_norm_backward": backward(hasBias: false),
        "duallora::layer_norm_backward": backward(hasBias: true),
    ]

    private static func forward(hasBias: Bool) -> KernelCall {
        KernelCall {
            let (normed, sum, statistics) = try NormKernel.forward(
                $0.values([4, 6]), residual: $0.values([4, 6], seed: 2), weight: $0.values([6]),
                bias: hasBias ? $0.values([6], seed: 3) : nil, epsilon: 1, keepingStatistics: true)
            return [normed, sum, statistics].compactMap { $0 }
        }
    }

    private static func backward(hasBias: Bool) -> KernelCall {
        KernelCall {
            try NormKernel.gradients(
                from: $0.values([4, 6]), sumGradient: $0.values([4, 6], seed: 2),
                sum: $0.values([4, 6], seed: 3), weight: $0.values([6]),
                statistics: .ones([hasBias ? 2 : 1, 4]), hasBias: hasBias,
                needed: [true, true] + (hasBias ? [true] : [])
            ).compactMap { $0 }
        }
    }

    private static let attention: [String: KernelCall] = [
        "duallora::attention": KernelCall {
            let (output, logSums) = try AttentionKernel.forward(
                $0.values([1, 2, 4, 6]), $0.values([1, 2, 4, 6], seed: 2),
                $0.values([1, 2, 4, 6], seed: 3), visible: visible, scale: 1)
            return [output, logSums]
        },
        "duallora::attention_backward": KernelCall {
            try AttentionKernel.gradients(
                from: $0.values([1, 2, 4, 6]), $0.values([1, 2, 4, 6], seed: 2),
                $0.values([1, 2, 4, 6], seed: 3), $0.values([1, 2, 4, 6], seed: 4),
                ($0.values([1, 2, 4, 6], seed: 5), .zeros([1, 2, 4])), visible: visible, scale: 1
            ).compactMap { $0 }
        },
    ]
    private static var visible: SequenceVisibility {
        SequenceVisibility(sequences: [(0, 0..<4)], isCausal: true)
    }

    private static let updates: [String: KernelCall] = [
        "duallora::dual_lora_update": KernelCall(hasWeights: true) {
            let block = try $0.values([4, 6])
            try DualLoRAKernel.form(
                block, onto: .plain($0.weight([4, 6])), b: $0.factor([4, 2]), a: $0.factor([2, 6]),
                d: $0.factor([4, 2], seed: 3), c: $0.factor([2, 6], seed: 4), scale: 2)
            return [block]
        },
        "duallora::dual_lora_gradients": KernelCall(hasWeights: true) {
            let block = try $0.room([4, 6])
            let sums = try [[4, 2], [2, 6], [4, 2], [2, 6]].map { try Tensor.zeros($0) }
            try DualLoRAKernel.addGradients(
                of: $0.values([4, 6]), b: $0.factor([4, 2]), a: $0.factor([2, 6]),
                d: $0.factor([4, 2], seed: 3), c: $0.factor([2, 6], seed: 4), scale: 2,
                clip: (1, atUpdate: false), to: (sums[0], sums[1], sums[2], sums[3]),
                forming: block, onto: .plain($0.weight([4, 6]).contiguous()))
            return sums + [block]
        },
        "duallora::quantize": KernelCall {
            [try QuantizationKernel.quantize($0.values([4, 64]), to: .q8_0)]
        },
        "duallora::dequantize": KernelCall {
            let numbers = try $0.values([4, 64])
            let blocks = try BlockMatrix(quantizing: .seeded([4, 64], seed: 2), to: .q8_0)
            try DequantizationKernel.dequantize(blocks.bytes, .q8_0, into: numbers)
            return [numbers]
        },
        "duallora::hira_update": KernelCall(hasWeights: true) {
            let block = try $0.values([4, 6])
            try HiRAKernel.form(
                block, weight: .plain($0.weight([4, 6])), b: $0.factor([4, 2]),
                a: $0.factor([2, 6]),
                addsWeight: true)
            return [block]
        },
        "duallora::hira_gradients": KernelCall(hasWeights: true) {
            let block = try $0.room([4, 6])
            let sums = try [[4, 2], [2, 6]].map { try Tensor.zeros($0) }
            try HiRAKernel.addGradients(
                of: $0.values([4, 6]), weight: .plain($0.weight([4, 6])), b: $0.factor([4, 2]),
                a: $0.factor([2, 6]), to: (sums[0], sums[1]), forming: block, addsWeight: true)
            return sums + [block]
        },
    ]

    private static let paths: [String: KernelCall] = [
        "duallora::scale_columns": KernelCall {
            [try ColumnScaleKernel.scale($0.values([4, 6]), by: $0.factor([6]))]
        },
        "duallora::scale_columns_backward": KernelCall {
            let found = try ColumnScaleKernel.gradients(
                from: $0.values([4, 6]), $0.values([4, 6], seed: 2), factors: $0.factor([6]))
            return [found.x, found.factors]
        },
        "duallora::fold_sum": KernelCall {
            [try FoldKernel.sum($0.values([4, 6]), to: 3, pieces)]
        },
        "duallora::fold_add": KernelCall {
            let wide = try $0.values([4, 6])
            try FoldKernel.add($0.values([4, 3], seed: 2), to: wide, pieces)
            return [wide]
        },
        "duallora::low_rank": KernelCall {
            let y = try $0.room([4, 5])
            let inner = try LowRankKernel.add(
                $0.values([4, 6]), down: $0.factor([2, 6]), up: $0.factor([5, 2]), scale: 2, to: y)
            return [y, inner]
        },
        "duallora::low_rank_backward": KernelCall {
            let (x, down, up) = (
                try $0.values([4, 6]), try $0.factor([2, 6]), try $0.factor([5, 2])
            )
            let inner = try LowRankKernel.add(
                x, down: down, up: up, scale: 2, to: $0.room([4, 5]))
            let atInput = try $0.room([4, 6])
            let found = try LowRankKernel.gradients(
                from: $0.values([4, 5], seed: 3), x, inner: inner, down: down, up: up, scale: 2,
                addingTo: atInput)
            return [found.down, found.up, atInput]
        },
    ]
    private static let pieces = [
        FoldKernel.Piece(wide: 0..<6, narrow: 0..<3, isGrouped: false)
    ]
}
