import TestSupport
import Testing

@testable import DualTorch

/// Cross-entropy through a head, chunk by chunk, against LibTorch's on whole logits.
@Suite struct CrossEntropyTests {
    /// Rows, size and classes of a head.
    static let shapes: [(rows: Int, size: Int, classes: Int)] = [
        (1, 1, 1), (1, 5, 2), (2, 3, 7), (3, 8, 17), (7, 4, 33), (5, 16, 64), (4, 7, 65),
        (9, 12, 131), (33, 6, 1000),
    ]

    struct Case {
        let hidden, weight, bias, labels: Tensor

        init(
            _ shape: (rows: Int, size: Int, classes: Int), dtype: DType,
            weightType: DType? = nil, deviation: Double = 1
        ) throws {
            hidden = try Tensor.seeded(
                [shape.rows, shape.size], seed: 1, deviation: deviation, dtype: dtype)
            weight = try Tensor.seeded(
                [shape.classes, shape.size], seed: 2, dtype: weightType ?? dtype)
            bias = try Tensor.seeded([shape.classes], seed: 3, dtype: weightType ?? dtype)
            labels = try Tensor(seededIntegers(shape.rows, in: 0..<shape.classes, seed: 4))
        }

        var leaves: [Tensor] { [hidden, weight, bias] }

        /// The loss and its gradients at hidden states, weight and bias by ordinary operators in
        /// float64.
        func expected(
            hasBias: Bool, labelSmoothing: Double = 0
        ) throws -> (loss: Double, gradients: [Tensor]) {
            let exact = try leaves.map { try $0.to(.float64).cloned().requireGradient() }
            let logits = try exact[0].linear(exact[1], bias: hasBias ? exact[2] : nil)
            let loss = try logits.crossEntropy(labels, labelSmoothing: labelSmoothing)
            let gradients = try loss.gradients(with: exact).prefix(hasBias ? 3 : 2)
            return (try loss.item(), gradients.compactMap { $0 })
        }

        func found(
            hasBias: Bool, rows: Int?, labelSmoothing: Double = 0
        ) throws -> (loss: Double, gradients: [Tensor]) {
            let leaves = try leaves.prefix(hasBias ? 3 : 2).map {
                try $0.cloned().requireGradient()
            }
            let loss = try leaves[0].crossEntropy(
                through: leaves[1], bias: hasBias ? leaves[2] : nil, labels: labels,
                labelSmoothing: labelSmoothing, rows: rows)
            let gradients = try loss.gradients(with: leaves).compactMap { $0 }
            return (try loss.item(), gradients)
        }
    }

    /// Holds gradients to the exact ones by the largest of those.
    private func check(
        _ found: (loss: Double, gradients: [Tensor]), _ exact: (loss: Double, gradients: [Tensor]),
        loss: Double, gradients: Double, _ note: String
    ) throws {
        #expect(abs(found.loss - exact.loss) <= loss * max(1, abs(exact.loss)), "\(note)")
        #expect(found.gradients.count == exact.gradients.count)
        for (gradient, expected) in zip(found.gradients, exact.gradients) {
            let scale = try max(1e-3, expected.magnitude().maximum().item())
            #expect(
                try gradient.isClose(to: expected, absolute: gradients * scale),
                "\(note) \(gradient.shape)")
        }
    }

    private static func tolerance(_ dtype: DType) -> (loss: Double, gradients: Double) {
        switch dtype {
        case .float64: (1e-12, 1e-12)
        case .float32: (2e-6, 1e-5)
        default: (1e-2, 2e-2)
        }
    }

    @Test(
        "Loss and gradients are those of whole logits, with every instruction set",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func instructionSets(_ set: InstructionSet, _ dtype: DType) throws {
        let tolerance = Self.tolerance(dtype)
        for shape in Self.shapes {
            let given = try Case(shape, dtype: dtype)
            for hasBias in [false, true] {
                try check(
                    set.limiting { try given.found(hasBias: hasBias, rows: 3) },
                    given.expected(hasBias: hasBias), loss: tolerance.loss,
                    gradients: tolerance.gradients, "\(shape), bias \(hasBias)")
            }
        }
    }

    @Test(
        "Smoothed labels give LibTorch's loss and gradients, with every instruction set",
        arguments: InstructionSet.allCases, [DType.float32, .float64, .bfloat16])
    func smoothedLabels(_ set: InstructionSet, _ dtype: DType) throws {
        let tolerance = Self.tolerance(dtype)
        for (shape, smoothing) in zip(Self.shapes, [0.1, 0.1, 1, 0.1, 0.3, 0.01, 0.1, 0.9, 0.1]) {
            let given = try Case(shape, dtype: dtype)
            try check(
                set.limiting {
                    try given.found(hasBias: true, rows: 3, labelSmoothing: smoothing)
                },
                given.expected(hasBias: true, labelSmoothing: smoothing), loss: tolerance.loss,
                gradients: tolerance.gradients, "\(shape), smoothing \(smoothing)")
        }
    }

    @Test(
        "The chunks' size changes nothing", arguments: [1, 2, 5, 33, 64],
        [DType.float32, .float64, .bfloat16])
    func chunks(_ rows: Int, _ dtype: DType) throws {
        let given = try Case((33, 6, 70), dtype: dtype)
        let tolerance = Self.tolerance(dtype)
        try check(
            given.found(hasBias: true, rows: rows), given.expected(hasBias: true),
            loss: tolerance.loss, gradients: tolerance.gradients, "rows \(rows)")
    }

    @Test(
        "A weight that trains in float32 gets its gradient in float32 from products in bfloat16",
        arguments: [1, 2, 4])
    func mixedTypes(_ rows: Int) throws {
        let given = try Case((4, 8, 50), dtype: .bfloat16, weightType: .float32)
        let found = try given.found(hasBias: true, rows: rows)
        #expect(found.gradients.map(\.dtype) == [.bfloat16, .float32, .float32])
        try check(
            found, given.expected(hasBias: true), loss: 1e-2, gradients: 2e-2, "rows \(rows)")
    }

    @Test("The sum over many chunks does not lose what a chunk adds")
    func manyChunks() throws {
        let given = try Case((600, 4, 5), dtype: .bfloat16)
        let (whole, single) = (
            try given.found(hasBias: true, rows: 600), try given.found(hasBias: true, rows: 1)
        )
        let exact = try given.expected(hasBias: true)
        for index in [1, 2] {
            let scale = try exact.gradients[index].magnitude().maximum().item()
            let error = { (gradient: Tensor) in
                try gradient.largestDifference(to: exact.gradients[index]) / scale
            }
            #expect(try error(single.gradients[index]) < 4e-3 + 2 * error(whole.gradients[index]))
        }
    }

    @Test(
        "Logits of ten thousand give what LibTorch gives in float32",
        arguments: [DType.float32, .bfloat16])
    func largeLogits(_ dtype: DType) throws {
        for sign in [1.0, -1] {
            let given = try Case((5, 4, 70), dtype: dtype, deviation: 5000 * sign.magnitude)
            let weight = try given.weight * sign
            let hidden = try given.hidden.cloned().requireGradient()
            let loss = try hidden.crossEntropy(through: weight, labels: given.labels)
            let whole = try given.hidden.cloned().requireGradient()
            let expected = try whole.linear(weight).to(.float32).crossEntropy(given.labels)
            #expect(abs(try loss.item() / expected.item() - 1) < 1e-6)
            let gradient = try #require(try loss.gradients(with: [hidden])[0])
            let reference = try #require(try expected.gradients(with: [whole])[0])
            #expect(
                try gradient.isClose(to: reference, absolute: dtype == .float32 ? 1e-6 : 2e-2))
        }
    }

    @Test(
        "Infinite and missing logits give what LibTorch gives",
        arguments: InstructionSet.allCases, [-Float.infinity, .infinity, .nan, -200, 3e38])
    func strangeLogits(_ set: InstructionSet, _ strange: Float) throws {
        for place in [0, 16, 69] {
            var values = try Tensor.seeded([70], seed: 1).array(of: Float.self)
            values[place] = strange
            // A row of ones: the weight's column is the logits.
            let (hidden, weight) = (try Tensor([Float(1)], [1, 1]), try Tensor(values, [70, 1]))
            for label in [3, place] {
                let labels = try Tensor([label])
                let found = try set.limiting {
                    try hidden.crossEntropy(through: weight, labels: labels).item()
                }
                let expected = try hidden.linear(weight).crossEntropy(labels).item()
                #expect(
                    found == expected || (found.isNaN && expected.isNaN)
                        || abs(found - expected) < 1e-5, "\(found), not \(expected)")
            }
        }
    }

    @Test(
        "The kernel does what the ordinary operators do",
        arguments: InstructionSet.allCases, [DType.float32, .bfloat16])
    func kernel(_ set: InstructionSet, _ dtype: DType) throws {
        for shape in Self.shapes {
            let given = try Case(shape, dtype: dtype)
            let results = try [true, false].map { usesKernel in
                var job = try ChunkedCrossEntropy(
                    hidden: given.hidden, weight: .plain(given.weight), bias: nil,
                    labels: given.labels,
                    rows: 4)
                job.usesKernel = usesKernel
                let loss = try set.limiting { try job.run(gradients: [true, true]) }
                return [loss] + job.gradients.compactMap { $0 }
            }
            for (kernel, plain) in zip(results[0], results[1]) {
                #expect(kernel.dtype == plain.dtype)
                let scale = try max(1e-3, plain.magnitude().maximum().item())
                let tolerance = dtype == .float32 || plain.rank == 0 ? 2e-6 : 8e-3
                #expect(try kernel.isClose(to: plain, absolute: tolerance * scale), "\(shape)")
            }
        }
    }

    @Test("Without recorded gradients the loss alone is computed, bit for bit the same")
    func lossAlone() throws {
        let given = try Case((9, 12, 131), dtype: .bfloat16)
        let alone = try given.hidden.crossEntropy(through: given.weight, labels: given.labels)
        #expect(!alone.requiresGradient)
        #expect(try alone.item() == given.found(hasBias: false, rows: nil).loss)
        try given.weight.requireGradient()
        let unrecorded = try withoutGradient {
            try given.hidden.crossEntropy(through: given.weight, labels: given.labels)
        }
        #expect(!unrecorded.requiresGradient)
    }

    @Test("Gradients follow what the loss is multiplied by, also in a graph that is kept")
    func scaling() throws {
        let given = try Case((9, 12, 131), dtype: .float32)
        let exact = try given.expected(hasBias: false)
        let leaves = [try given.hidden.requireGradient(), try given.weight.requireGradient()]
        let loss = try given.hidden.crossEntropy(
            through: given.weight, labels: given.labels, rows: 4)
        let scaled = try loss * 3
        for _ in 0..<2 {
            let found = try scaled.gradients(with: leaves, retainingGraph: true)
            for (gradient, expected) in zip(found, exact.gradients) {
                #expect(try #require(gradient).isClose(to: expected * 3, absolute: 1e-5))
            }
        }
        try scaled.backward()
        #expect(
            try #require(try given.weight.gradient())
                .isClose(to: exact.gradients[1] * 3, absolute: 1e-5))
    }

    @Test("Only the gradients that are needed are computed")
    func neededGradients() throws {
        let given = try Case((9, 12, 131), dtype: .float32)
        var job = try ChunkedCrossEntropy(
            hidden: given.hidden, weight: .plain(given.weight), bias: given.bias,
            labels: given.labels,
            rows: 4)
        _ = try job.run(gradients: [true, false, false])
        #expect(job.gradients.map { $0 != nil } == [true, false, false])
        _ = try job.run(gradients: [false, true, true])
        #expect(job.gradients.map { $0 != nil } == [false, true, true])
    }

    @Test("Finite differences in float64 agree with the gradient")
    func finiteDifferences() throws {
        let given = try Case((3, 4, 6), dtype: .float64)
        let gradients = try given.found(hasBias: true, rows: 2).gradients
        for (index, leaf) in given.leaves.enumerated() {
            let direction = try Tensor.seeded(leaf.shape, seed: 9, dtype: .float64)
            func loss(_ step: Double) throws -> Double {
                var moved = given.leaves
                moved[index] = try leaf + direction * step
                return try moved[0].crossEntropy(
                    through: moved[1], bias: moved[2], labels: given.labels, rows: 2
                ).item()
            }
            let slope = try (loss(1e-5) - loss(-1e-5)) / 2e-5
            #expect(abs(try (gradients[index] * direction).sum().item() - slope) < 1e-8)
        }
    }

    @Test("Hidden states and weights need not be contiguous")
    func strides() throws {
        let given = try Case((6, 8, 20), dtype: .float32)
        let hidden = try given.hidden.transposed().contiguous().transposed()
        let weight = try given.weight.transposed().contiguous().transposed()
        let loss = try hidden.crossEntropy(through: weight, labels: given.labels, rows: 4)
        #expect(abs(try loss.item() - given.expected(hasBias: false).loss) < 1e-6)
    }

    @Test("More threads than cores, and one, give the same bits")
    func threads() async {
        await #expect(processExitsWith: .success) {
            let given = try Case((37, 6, 70), dtype: .bfloat16)
            var losses: Set<Double> = []
            for threads in [1, 2, 16] {
                try TorchRuntime.setThreads(threads)
                losses.insert(try given.found(hasBias: false, rows: nil).loss)
            }
            #expect(losses.count == 1)
        }
    }

    @Test("No rows have no mean, and shapes and labels that do not fit are refused")
    func refusals() throws {
        let given = try Case((3, 4, 6), dtype: .float32)
        func failure(_ labels: Tensor) -> String {
            message { _ = try given.hidden.crossEntropy(through: given.weight, labels: labels) }
        }
        #expect(failure(try Tensor([0, 6, 1])).contains("label 6 of row 1 is not one of 6"))
        #expect(failure(try Tensor([0, -1, 1])).contains("label -1 of row 1"))
        for count in [2, 4] {
            let text = failure(try Tensor([Int](repeating: 0, count: count)))
            #expect(text.contains("[3, 4] do not go with labels [\(count)]"), "\(text)")
        }
        #expect(failure(try Tensor([Float(0), 1, 2])).contains("not one int64"))
        let none = try Tensor.zeros([0, 4]).requireGradient()
        let loss = try none.crossEntropy(
            through: given.weight, labels: Tensor([Int]()))
        #expect(try loss.item().isNaN)
    }

    @Test("Live tensors after a step do not grow")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let given = try Case((9, 12, 131), dtype: .float32)
            for leaf in given.leaves { try leaf.requireGradient() }
            var live: [Int] = []
            for _ in 0..<5 {
                let loss = try given.hidden.crossEntropy(
                    through: given.weight, bias: given.bias, labels: given.labels, rows: 4)
                try loss.backward()
                for leaf in given.leaves { try leaf.setGradient(nil) }
                live.append(TorchRuntime.liveTensors)
            }
            #expect(Set(live).count == 1, "\(live)")
        }
    }
}
