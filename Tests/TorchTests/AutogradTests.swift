import DualTorch
import TestSupport
import Testing

@Suite struct AutogradTests {
    private func leaf(_ values: [Double]) throws -> Tensor {
        try Tensor(values).requireGradient()
    }

    @Test("The gradient of a cubic is its derivative")
    func closedForm() throws {
        let x = try leaf([-1, 0.5, 2])
        try (x * x * x).sum().backward()
        #expect(try x.gradient()?.array() == [3.0, 0.75, 12])
    }

    @Test("The gradient of a matrix product is the product with the other's transpose")
    func matrixProduct() throws {
        let a = try Tensor.seeded([3, 4], seed: 1, dtype: .float64).requireGradient()
        let b = try Tensor.seeded([4, 2], seed: 2, dtype: .float64).requireGradient()
        let seed = try Tensor.seeded([3, 2], seed: 3, dtype: .float64)
        try a.matmul(b).backward(seed: seed)
        let (atA, atB) = (try #require(try a.gradient()), try #require(try b.gradient()))
        #expect(try atA.isClose(to: seed.matmul(b.detached().transposed()), absolute: 1e-12))
        #expect(try atB.isClose(to: a.detached().transposed().matmul(seed), absolute: 1e-12))
    }

    @Test("Backward adds to the gradient that is there")
    func accumulation() throws {
        let x = try leaf([2])
        for _ in 0..<3 { try (x * x).sum().backward() }
        #expect(try x.gradient()?.array() == [12.0])
        try x.setGradient(nil)
        #expect(try x.gradient() == nil)
        try x.setGradient(Tensor([5.0]))
        #expect(try x.gradient()?.array() == [5.0])
    }

    @Test("No graph is recorded without gradient, and is again within")
    func withoutGradientMode() throws {
        let x = try leaf([2])
        let (outside, inside) = try withoutGradient { (try x * x, try withGradient { try x * x }) }
        #expect(!outside.requiresGradient)
        #expect(inside.requiresGradient)
        #expect(try (x * x).requiresGradient)
        #expect(try !(x * x).detached().requiresGradient)
    }

    @Test("The gradient mode is restored when the body throws")
    func modeAfterAnError() throws {
        let x = try leaf([2])
        #expect(throws: TorchError.self) { try withoutGradient { try x.reshaped(5) } }
        #expect(try (x * x).requiresGradient)
    }

    @Test("gradients(with:) gives each input its own and leaves the leaves alone")
    func gradientsOfInputs() throws {
        let (x, y, unused) = (try leaf([2]), try leaf([5]), try leaf([1]))
        let found = try (x * x * y).sum().gradients(with: [x, y, unused])
        #expect(try found[0]?.array() == [20.0])
        #expect(try found[1]?.array() == [4.0])
        #expect(found[2] == nil)
        #expect(try x.gradient() == nil)
    }

    @Test("A gradient that is part of a graph can be differentiated")
    func secondDerivative() throws {
        let x = try leaf([2])
        let first = try #require(
            try (x * x * x).sum().gradients(with: [x], creatingGraph: true)[0])
        let second = try #require(try first.sum().gradients(with: [x])[0])
        #expect(try first.array() == [12.0])
        #expect(try second.array() == [12.0])
    }

    /// Misuse of autograd that must throw.
    enum Misuse: CaseIterable {
        case backwardTwice, noGradient, notAScalar, seedOfOtherShape, inPlaceOnLeaf, integerLeaf
        case inputOutsideTheGraph
    }

    @Test("Misuse of the graph throws", arguments: Misuse.allCases)
    func misuse(_ kind: Misuse) throws {
        let x = try leaf([1, 2])
        #expect(throws: TorchError.self) {
            switch kind {
            case .backwardTwice:
                let loss = try (x * x).sum()
                try loss.backward()
                try loss.backward()
            case .noGradient: try Tensor([1.0]).sum().backward()
            case .notAScalar: try (x * x).backward()
            case .seedOfOtherShape: try (x * x).backward(seed: Tensor([1.0, 2, 3]))
            case .inPlaceOnLeaf: try x.multiply(by: 2)
            case .integerLeaf: try Tensor([1, 2]).requireGradient()
            case .inputOutsideTheGraph: _ = try x.sum().gradients(with: [Tensor([1.0])])
            }
        }
    }

    @Test("A retained graph runs twice")
    func retained() throws {
        let x = try leaf([3])
        let loss = try (x * x).sum()
        try loss.backward(retainingGraph: true)
        try loss.backward()
        #expect(try x.gradient()?.array() == [12.0])
    }
}
