import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct RecomputationTests {
    private func leaf(_ shape: [Int], seed: UInt64) throws -> Tensor {
        try Tensor.seeded(shape, seed: seed).requireGradient()
    }

    @Test("Gradients at inputs and at leaves that the body uses are those without, bit for bit")
    func gradients() throws {
        let leaves = try [leaf([3, 4], seed: 1), leaf([5, 4], seed: 2), leaf([5], seed: 3)]
        func body(_ x: Tensor) throws -> [Tensor] {
            let y = try x.linear(leaves[1], bias: leaves[2]).gelu()
            return [y, try y.tanh() * leaves[2]]
        }
        let plain = try body(leaves[0] * 2)
        let again = try recomputed([leaves[0] * 2]) { try body($0[0]) }
        for (first, second) in zip(plain, again) { #expect(try first.isIdentical(to: second)) }
        let found = try [plain, again].map {
            try ($0[0] * $0[1]).sum().gradients(with: leaves).compactMap { $0 }
        }
        #expect(found[1].count == 3)
        for (first, second) in zip(found[0], found[1]) {
            #expect(try first.isIdentical(to: second))
        }
    }

    @Test("Backward accumulates in the leaves, once for every use")
    func accumulation() throws {
        let weight = try Tensor([3.0]).requireGradient()
        var x = try Tensor([2.0])
        for _ in 0..<3 { x = try recomputed([x]) { [try $0[0] * weight] }[0] }
        try x.backward()
        // d(2 w³)/dw
        #expect(try weight.gradient()?.array() == [54.0])
        #expect(try x.item() == 54)
    }

    @Test("An input that requires no gradient gets none, and leaves still get theirs")
    func frozenInput() throws {
        let (x, weight) = (try Tensor([2.0]), try Tensor([3.0]).requireGradient())
        let y = try recomputed([x]) { [try $0[0] * weight] }[0]
        #expect(y.requiresGradient)
        try y.backward()
        #expect(try weight.gradient()?.array() == [2.0])
        #expect(try x.gradient() == nil)
    }

    /// Counts the runs of a body.
    private final class Runs {
        var count = 0
    }

    @Test("A body that nothing trains in or before runs once and keeps nothing")
    func nothingTrains() throws {
        let runs = Runs()
        weak var kept: Runs?
        func run(_ x: Tensor, _ weight: Tensor) throws -> Tensor {
            let marker = Runs()
            kept = marker
            return try recomputed([x]) {
                withExtendedLifetime(marker) { runs.count += 1 }
                return [try $0[0] * weight]
            }[0]
        }
        let (frozen, x) = (try Tensor([3.0]), try Tensor([2.0]).requireGradient())
        let y = try run(Tensor([2.0]), frozen)
        #expect(!y.requiresGradient && kept == nil && runs.count == 1)
        let unrecorded = try withoutGradient { try run(x, frozen) }
        #expect(!unrecorded.requiresGradient && kept == nil && runs.count == 2)
        let z = try run(x, frozen)
        #expect(z.requiresGradient && kept != nil && runs.count == 3)
        try (z + y).backward()
        #expect(kept == nil && runs.count == 4)
        #expect(try x.gradient()?.array() == [3.0])
    }

    @Test("An output that is an input, or that nobody uses, or that no gradient reaches")
    func outputs() throws {
        let (x, weight) = (try Tensor([2.0]).requireGradient(), try Tensor([3.0]).requireGradient())
        let constant = try Tensor([7.0])
        func outputs() throws -> [Tensor] {
            try recomputed([x]) { [$0[0], try $0[0] * weight, constant, try weight.squared()] }
        }
        let all = try outputs()
        #expect(try all.map { try $0.item() } == [2, 6, 7, 9])
        try (all[0] * all[2] + all[1]).backward()
        #expect(try x.gradient()?.array() == [10.0])
        #expect(try weight.gradient()?.array() == [2.0])
        let alone = try outputs()[2].gradients(with: [x, weight], retainingGraph: false)
        #expect(try alone.allSatisfy { try $0 == nil || $0?.item() == 0 })
    }

    @Test("The second run draws the numbers of the first, and what comes after it is not disturbed")
    func randomNumbers() throws {
        let x = try leaf([100], seed: 1)
        func run(recomputing: Bool) throws -> (gradient: Tensor, next: Tensor) {
            let generator = try Generator(seed: 5)
            func drop(_ x: Tensor) throws -> Tensor {
                try (x * x).dropout(probability: 0.5, using: generator)
            }
            var y = x
            for _ in 0..<3 {
                y =
                    recomputing
                    ? try recomputed([y], drawing: generator) { [try drop($0[0])] }[0]
                    : try drop(y)
            }
            let gradient = try #require(try y.sum().gradients(with: [x])[0])
            return (gradient, try .uniform([4], using: generator))
        }
        let (plain, again) = (try run(recomputing: false), try run(recomputing: true))
        #expect(try plain.gradient.isIdentical(to: again.gradient))
        #expect(try plain.next.isIdentical(to: again.next))
        #expect(try plain.gradient.norm().item() > 0)
    }

    @Test("A graph that is kept is run again as often as one likes")
    func retained() throws {
        let x = try Tensor([2.0]).requireGradient()
        let y = try recomputed([x]) { [try $0[0] * $0[0]] }[0]
        for _ in 0..<3 { try y.backward(retainingGraph: true) }
        #expect(try x.gradient()?.array() == [12.0])
    }

    @Test("An error of the second run surfaces, and leaves the generator as it was")
    func failure() throws {
        let (x, generator) = (try Tensor([2.0]).requireGradient(), try Generator(seed: 1))
        let runs = Runs()
        let y = try recomputed([x], drawing: generator) {
            runs.count += 1
            _ = try Tensor.uniform([3], using: generator)
            return [runs.count > 1 ? try $0[0].reshaped(7) : try $0[0] * 2]
        }[0]
        let before = try generator.state()
        #expect(message { try y.backward() }.contains("recomputed"))
        #expect(try generator.state().isIdentical(to: before))
    }

    @Test("Bodies nest")
    func nesting() throws {
        let (x, weight) = (try leaf([3], seed: 1), try leaf([3], seed: 2))
        let y = try recomputed([x]) { outer in
            try recomputed([outer[0] * weight]) { [try $0[0].tanh() * weight] }
        }[0]
        let plain = try (x * weight).tanh() * weight
        let found = try y.sum().gradients(with: [x, weight])
        for (found, expected) in zip(found, try plain.sum().gradients(with: [x, weight])) {
            #expect(try #require(found).isIdentical(to: #require(expected)))
        }
    }

    @Test("Nothing is left of a run, whether its graph ran backward or was dropped")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            let weight = try Tensor.ones([4]).requireGradient()
            let generator = try Generator(seed: 1)
            var live: [Int] = []
            func run(backward: Bool) throws {
                let y = try recomputed([Tensor.ones([4])], drawing: generator) {
                    [try ($0[0] * weight).dropout(probability: 0.5, using: generator)]
                }[0]
                if backward { try y.sum().backward() }
                try weight.setGradient(nil)
            }
            for index in 0..<6 {
                try run(backward: index > 2)
                live.append(TorchRuntime.liveTensors)
            }
            #expect(Set(live).count == 1, "\(live)")
        }
    }
}
