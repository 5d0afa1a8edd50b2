import DualTorch
import TestSupport
import Testing

@Suite struct TensorTests {
    // MARK: - Swift values

    /// Values that go through a tensor and come back as they were.
    private func roundTrip<Scalar: TensorScalar & Equatable>(_ values: [Scalar]) throws {
        let tensor = try Tensor(values, [values.count / 2, 2])
        #expect(tensor.dtype == Scalar.dtype)
        #expect(tensor.shape == [values.count / 2, 2])
        #expect(try tensor.array(of: Scalar.self) == values)
    }

    @Test("Swift values of every type come back as they went in")
    func roundTrips() throws {
        try roundTrip([Float.leastNonzeroMagnitude, -1.5, .infinity, 3.25])
        try roundTrip([Double.greatestFiniteMagnitude, -0.1, -.infinity, .ulpOfOne])
        try roundTrip([Int64.min, .max, 0, -1])
        try roundTrip([Int.min, .max, 1 << 53 + 1, -1])
        try roundTrip([Int32.min, .max, 0, 7])
        try roundTrip([UInt8.min, .max, 1, 128])
        try roundTrip([true, false, false, true])
    }

    @Test("Small whole numbers survive every element type", arguments: DType.allCases)
    func elementTypes(_ dtype: DType) throws {
        let values = dtype == .bool ? [0, 1, 1, 0] : [0, 1, 3, 100]
        let tensor = try Tensor(values).to(dtype)
        #expect(tensor.dtype == dtype)
        #expect(tensor.byteCount == 4 * dtype.byteCount)
        #expect(try tensor.array(of: Int.self) == values)
        #expect(try tensor.array(of: Double.self) == values.map(Double.init))
    }

    @Test("A tensor copies its values: the array may change")
    func copiesValues() throws {
        var values = [1.0, 2]
        let tensor = try Tensor(values)
        values[0] = 9
        #expect(try tensor.array() == [1.0, 2])
    }

    @Test("An empty tensor and a scalar have a shape and values")
    func emptyAndScalar() throws {
        let empty = try Tensor([Float](), [0, 3])
        #expect(empty.shape == [0, 3])
        #expect(try empty.array(of: Float.self).isEmpty)
        let scalar = try Tensor.scalar(2.5)
        #expect(scalar.shape.isEmpty)
        #expect(scalar.count == 1)
        #expect(try scalar.item() == 2.5)
    }

    // MARK: - Views

    @Test("A transposed view reads in its own order and shares memory")
    func transposes() throws {
        let x = try Tensor([1.0, 2, 3, 4, 5, 6], [2, 3])
        let view = try x.transposed()
        #expect(view.shape == [3, 2])
        #expect(view.strides == [1, 3])
        #expect(!view.isContiguous)
        #expect(try view.array() == [1.0, 4, 2, 5, 3, 6])
        #expect(try view.contiguous().strides == [2, 1])
        try view.multiply(by: 2)
        #expect(try x.array() == [2.0, 4, 6, 8, 10, 12])
    }

    @Test("Slices and selections are views of the part that they name")
    func slices() throws {
        let x = try Tensor((0..<24).map(Double.init), [2, 3, 4])
        #expect(try x.slice(1..<3, along: 1).selecting(0, along: 2).array() == [4.0, 8, 16, 20])
        #expect(try x.selecting(1).selecting(-1).array() == [20.0, 21, 22, 23])
        try x.slice(0..<1).copy(from: .zeros([1, 3, 4]))
        #expect(try x.sum().item() == (12..<24).reduce(0) { $0 + Double($1) })
        #expect(try x.expandedDimension(at: 1).shape == [2, 1, 3, 4])
        #expect(try x.expandedDimension(at: 1).squeezed(1).shape == [2, 3, 4])
        #expect(try Tensor([1.0]).expanded([3]).strides == [0])
        #expect(try x.reshaped(4, -1).shape == [4, 6])
        #expect(try x.gathered(rows: Tensor([1, 1])).shape == [2, 3, 4])
    }

    @Test("The bytes of a view that is not contiguous are refused")
    func bytesOfAView() throws {
        let x = try Tensor([1.0, 2, 3, 4], [2, 2])
        #expect(try x.withBytes { $0.count } == 32)
        #expect(throws: TorchError.self) { try x.transposed().withBytes { $0.count } }
    }

    @Test("A conversion to the type that it has gives the same tensor")
    func conversionToItself() throws {
        let x = try Tensor([1.0])
        #expect(try x.to(.float64) === x)
        #expect(try x.to(device: .cpu) === x)
        #expect(try x.to(.float32) !== x)
        #expect(try x.cloned() !== x)
    }

    // MARK: - Numbers

    @Test("item reads one element of any kind and refuses more")
    func items() throws {
        #expect(try Tensor([7]).item() == 7)
        #expect(try Tensor([true]).item() == 1)
        #expect(try Tensor([0.25]).item() == 0.25)
        let text = message { _ = try Tensor([1, 2]).item() }
        #expect(text.hasPrefix("aten::item: "))
    }

    @Test("The largest difference is computed in float64 and passes on a NaN")
    func largestDifference() throws {
        let x = try Tensor([1.0, 2, 3])
        #expect(try x.largestDifference(to: Tensor([1.0, 2.5, 2])) == 1)
        #expect(try Tensor([1 + 0x1p-40]).largestDifference(to: Tensor([Float(1)])) == 0x1p-40)
        #expect(try Tensor([Double.nan]).largestDifference(to: Tensor([1.0])).isNaN)
        #expect(try Tensor([Float]()).largestDifference(to: Tensor([Float]())) == 0)
        #expect(try x.isClose(to: Tensor([1.0, 2, 3.5]), absolute: 0.5))
        #expect(try !x.isClose(to: Tensor([1.0, 2, 3.5]), absolute: 0.4))
        #expect(try !x.isClose(to: Tensor([1.0]), absolute: 10))
    }

    @Test("The root mean square of float16 does not overflow")
    func rootMeanSquare() throws {
        #expect(abs(try Tensor([3.0, 4]).rootMeanSquare() - (12.5).squareRoot()) < 1e-12)
        let large = try Tensor([Float](repeating: 60000, count: 8)).to(.float16)
        #expect(abs(try large.rootMeanSquare() - 60000) < 0.1)
        #expect(try Tensor([Float]()).rootMeanSquare() == 0)
    }

    @Test("In-place arithmetic changes the tensor itself")
    func inPlace() throws {
        let x = try Tensor([1.0, 2])
        let alias = try x.reshaped(2, 1)
        try x.add(Tensor([1.0, 1]), times: 3).multiply(by: 2)
        try x.multiply(by: Tensor([1.0, 10]))
        #expect(try alias.array() == [8.0, 100])
    }

    @Test("A description names shape, type and device")
    func description() throws {
        #expect(try "\(Tensor.zeros([2, 3]))" == "Tensor([2, 3], float32, cpu)")
    }

    @Test("A tensor of a type that the package does not know is refused, not misread")
    func unknownType() throws {
        let pairs = try Tensor([Float(1), 2, 3, 4], [2, 2])
        let text = message { _ = try callOperator("aten::view_as_complex", [.tensor(pairs)]) }
        #expect(text == "aten::view_as_complex: a result of type ComplexFloat cannot be returned")
    }

    @Test("A sparse tensor has no strides and no memory, but crashes nothing")
    func sparse() async {
        await #expect(processExitsWith: .success) {
            guard
                case .tensor(let sparse)? = try callOperator(
                    "aten::to_sparse", [.tensor(Tensor([1.0, 0]))]
                ).first
            else { throw CancellationError() }
            _ = (sparse.shape, sparse.strides, sparse.isContiguous, "\(sparse)")
            #expect(throws: TorchError.self) { try sparse.array(of: Float.self) }
            #expect(throws: TorchError.self) { try sparse.withBytes { $0.count } }
        }
    }

    // MARK: - Random numbers

    @Test("One seed gives one sequence of numbers, another seed another")
    func seeds() throws {
        let draw = { try Tensor.normal([64], using: Generator(seed: $0)) }
        #expect(try draw(3).isIdentical(to: draw(3)))
        #expect(try 0 < draw(3).largestDifference(to: draw(4)))
    }

    @Test("A restored state repeats the numbers that followed it", arguments: [1, 7, 64])
    func restoredState(_ count: Int) throws {
        let generator = try Generator(seed: 5)
        _ = try Tensor.normal([count], using: generator)
        let state = try generator.state()
        let draw = {
            [
                try Tensor.normal([17], using: generator),
                try Tensor.bernoulli(like: .zeros([33]), probability: 0.5, using: generator),
                try Tensor.uniform([5], using: generator),
            ]
        }
        let first = try draw()
        try generator.restore(state)
        for (a, b) in zip(first, try draw()) { #expect(try a.isIdentical(to: b)) }
    }

    @Test("A state that no generator gave is refused")
    func badState() throws {
        let generator = try Generator(seed: 5)
        #expect(throws: TorchError.self) {
            try generator.restore(Tensor([UInt8](repeating: 1, count: 3)))
        }
        #expect(throws: TorchError.self) { try generator.restore(Tensor([1.0])) }
    }

    @Test("Dropout drops its share and keeps the expectation", arguments: [0.1, 0.5, 0.9])
    func dropout(_ probability: Double) throws {
        let count = 20000
        let dropped = try Tensor.ones([count], dtype: .float64)
            .dropout(probability: probability, using: Generator(seed: 11))
        let values: [Double] = try dropped.array()
        let kept = 1 / (1 - probability)
        #expect(values.allSatisfy { $0 == 0 || abs($0 - kept) < 1e-12 })
        // Six deviations of the mean of independent draws.
        let deviation = (probability / (1 - probability) / Double(count)).squareRoot()
        #expect(abs(try dropped.mean().item() - 1) < 6 * deviation)
    }

    @Test("Dropout of nothing is the tensor itself and takes no random numbers")
    func noDropout() throws {
        let (generator, x) = (try Generator(seed: 1), try Tensor([1.0]))
        let before = try generator.state()
        #expect(try x.dropout(probability: 0, using: generator) === x)
        #expect(try generator.state().isIdentical(to: before))
    }
}
