import DualTorch
import Foundation
import TestSupport
import Testing

/// Functions of one number, and gated ones: the kernels against the C library and LibTorch.
@Suite struct ElementFunctionTests {
    // MARK: - exp, tanh, erf

    /// Every so many of the numbers that float32 has, both signs, subnormal ones, infinities and NaN
    /// among them.
    private static let sweep: [Float] =
        stride(from: UInt32(0), through: UInt32.max - 20011, by: 20011).map(Float.init(bitPattern:))
        + [0, -0.0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
        // Where the functions do what matters, and where their parts meet.
        + (-120_000...120_000).map { Float($0) / 1000 }

    /// What `found` differs by from `exact`, in units of the last place of `exact` as a float32.
    private func error(_ found: Float, _ exact: Double) -> Double {
        let rounded = Float(exact)
        if found == rounded || (found.isNaN && exact.isNaN) { return 0 }
        guard found.isFinite, rounded.isFinite else { return .infinity }
        return abs(Double(found) - exact) / Double(rounded.ulp)
    }

    @Test(
        "exp, tanh and erf are off by at most two units in the last place",
        arguments: InstructionSet.allCases)
    func elementary(set: InstructionSet) throws {
        let functions: [(ElementFunction, (Double) -> Double)] = [
            (.exponential, exp), (.tanh, tanh), (.errorFunction, erf),
        ]
        let x = try Tensor(Self.sweep)
        for (function, exact) in functions {
            let found = try set.limiting { try x.mapped(by: function).array(of: Float.self) }
            let errors = zip(Self.sweep, found).map { error($1, exact(Double($0))) }
            let worst = try #require(errors.indices.max { errors[$0] < errors[$1] })
            #expect(
                errors[worst] <= 2,
                "\(function)(\(Self.sweep[worst])) is \(found[worst])")
        }
    }

    // MARK: - Activations

    /// From far to far, for the derivative's tails, and a NaN, which stays one.
    private func inputs(_ count: Int) throws -> [Tensor] {
        [
            try Tensor.seeded([count], seed: 1, deviation: 3, dtype: .bfloat16),
            try Tensor.seeded([count], seed: 2, dtype: .bfloat16),
        ]
    }

    @Test(
        "Every instruction set gives each function and its derivative",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func mapped(set: InstructionSet, dtype: DType) throws {
        for function in ElementFunction.allCases {
            for count in [1, 7, 16, 33, 1000] {
                let x = Array(try inputs(count)[..<1])
                func evaluate(_ dtype: DType) throws -> Evaluation {
                    try Evaluation(x, as: dtype) { [try $0[0].mapped(by: function)] }
                }
                let found = try set.limiting { try evaluate(dtype) }
                #expect(found.outputs[0].dtype == dtype)
                try found.expectClose(
                    to: evaluate(.float64), tolerance(dtype), "\(function) \(count)")
            }
        }
    }

    @Test(
        "Every instruction set gates, and gives both gradients",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func gated(set: InstructionSet, dtype: DType) throws {
        for function in ElementFunction.allCases where function != .exponential {
            for count in [1, 7, 16, 33, 1000] {
                let pair = try inputs(count)
                func evaluate(_ dtype: DType) throws -> Evaluation {
                    try Evaluation(pair, as: dtype) { [try $0[0].gating($0[1], by: function)] }
                }
                let found = try set.limiting { try evaluate(dtype) }
                try found.expectClose(
                    to: evaluate(.float64), tolerance(dtype), "\(function) \(count)")
            }
        }
    }

    @Test(
        "In bfloat16 every number is that of float64, rounded", arguments: ElementFunction.allCases)
    func rounding(_ function: ElementFunction) throws {
        let x = try Tensor.seeded([4000], seed: 3, deviation: 2, dtype: .bfloat16)
        let found = try x.mapped(by: function).array(of: Double.self)
        let exact = try x.to(.float64).mapped(by: function).array(of: Double.self)
        // Half a unit in the last place of 8 bits, and what float32 adds to it.
        let wrong = zip(found, exact).filter { abs($0 - $1) > abs($1) * 0x1.01p-8 + 1e-12 }
        #expect(wrong.isEmpty)
    }

    @Test("The ends of the range are those of LibTorch's functions", arguments: [false, true])
    func extremes(_ isNarrow: Bool) throws {
        let dtype: DType = isNarrow ? .bfloat16 : .float32
        let ends = try Tensor([Float.infinity, .nan, 1e30, -1e30, 0, -0.0, 50, -50]).to(dtype)
        for function in [ElementFunction.silu, .gelu, .geluTanh, .relu, .tanh] {
            let found = try ends.mapped(by: function).array(of: Float.self)
            let exact = try ends.to(.float64).mapped(by: function).to(dtype).array(of: Float.self)
            for (a, b) in zip(found, exact) {
                #expect(a == b || (a.isNaN && b.isNaN), "\(function): \(a), not \(b)")
            }
            let leaf = try ends.detached().requireGradient()
            try leaf.mapped(by: function).sum().backward()
            let slopes = try #require(try leaf.gradient()).array(of: Float.self)
            #expect(!slopes[2...].contains { !$0.isFinite }, "\(function): \(slopes)")
        }
    }

    @Test("Inputs that are not contiguous count as their copies")
    func strides() throws {
        let gate = try Tensor.seeded([6, 40], seed: 1).slice(3..<30, along: 1)
        let up = try Tensor.seeded([27, 6], seed: 2).transposed()
        let run = { (gate: Tensor, up: Tensor) in
            try Evaluation([gate, up], as: .float32) {
                [try $0[0].gating($0[1], by: .silu).transposed()]
            }
        }
        try run(gate, up).expectClose(to: run(gate.contiguous(), up.contiguous()), (0, 0), "parts")
    }

    @Test("The number of threads changes no bit")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let x = try Tensor.seeded([100_003], seed: 1, dtype: .bfloat16)
            let runs = try [1, 5].map { threads in
                try TorchRuntime.setThreads(threads)
                return try x.gating(x, by: .gelu)
            }
            #expect(try runs[0].isIdentical(to: runs[1]))
        }
    }

    @Test("Only what requires a gradient gets one, and shapes must be equal")
    func edges() throws {
        let gate = try Tensor.seeded([3, 4], seed: 1)
        let up = try Tensor.seeded([3, 4], seed: 2).requireGradient()
        try gate.gating(up, by: .silu).sum().backward()
        #expect(try up.gradient()?.isClose(to: gate.silu(), absolute: 1e-6) == true)
        #expect(try gate.gradient() == nil)
        #expect(throws: TorchError.self) { _ = try gate.gating(Tensor.ones([4]), by: .silu) }
        #expect(try Tensor.zeros([0, 4]).gating(Tensor.zeros([0, 4]), by: .relu).shape == [0, 4])
    }
}
