import DualTorch
import TestSupport
import Testing

/// Functions whose backward is a Swift closure.
@Suite struct CustomFunctionTests {
    private final class Marker {}

    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private func leaf(_ values: [Double]) throws -> Tensor {
        try Tensor(values).requireGradient()
    }

    /// x y, with its derivative by hand; `seen` gets what the backward is told.
    private func product(
        _ x: Tensor, _ y: Tensor, seen: @escaping ([Bool]) -> Void = { _ in }
    ) throws -> Tensor {
        let (left, right) = (try x.detached(), try y.detached())
        return try customFunction("product", of: [x, y]) {
            [try left * right]
        } backward: { gradients, needed in
            seen(needed)
            let gradient = try #require(gradients[0])
            return [
                needed[0] ? try gradient * right : nil, needed[1] ? try gradient * left : nil,
            ]
        }[0]
    }

    @Test("Forward and backward run in Swift, within a larger graph")
    func product() throws {
        let (x, y) = (try leaf([2, 3]), try leaf([5, 7]))
        let z = try product(x * x, y)
        #expect(try z.array() == [20.0, 63])
        try z.sum().backward()
        #expect(try x.gradient()?.array() == [20.0, 42])
        #expect(try y.gradient()?.array() == [4.0, 9])
    }

    @Test("The backward learns which inputs need a gradient")
    func neededFlags() throws {
        var seen: [[Bool]] = []
        let (x, y, constant) = (try leaf([2]), try leaf([5]), try Tensor([7.0]))
        try product(x, y) { seen.append($0) }.sum().backward()
        try product(x, constant) { seen.append($0) }.sum().backward()
        _ = try product(x, y) { seen.append($0) }.sum().gradients(with: [y])
        #expect(seen == [[true, true], [true, false], [false, true]])
    }

    @Test("Without an input that needs a gradient there is no graph and no closure kept")
    func noGraph() throws {
        weak var released: Marker?
        func run() throws -> Tensor {
            let marker = Marker()
            released = marker
            let constant = try Tensor([1.0])
            return try product(constant, constant) { _ in _ = marker }
        }
        let result = try run()
        #expect(!result.requiresGradient)
        #expect(released == nil)
    }

    @Test("A gradient of nil is zero, and an output that nobody used has none")
    func absentGradients() throws {
        let (x, y) = (try leaf([2]), try leaf([3]))
        var given: [Bool] = []
        let outputs = try customFunction("pair", of: [x, y]) {
            [try Tensor([1.0]), try Tensor([2.0])]
        } backward: { gradients, _ in
            given = gradients.map { $0 != nil }
            return [gradients[1], nil]
        }
        try outputs[1].sum().backward()
        #expect(given == [false, true])
        #expect(try x.gradient()?.array() == [1.0])
        #expect(try y.gradient() == nil)
    }

    @Test("An error of the backward surfaces with its text")
    func errorInBackward() throws {
        let x = try leaf([2])
        let output = try customFunction("careful", of: [x]) {
            [try Tensor([1.0])]
        } backward: { _, _ in
            throw Refusal(description: "the moon is full")
        }[0]
        let text = message { try output.sum().backward() }
        #expect(text == "backward: careful: the moon is full")
        // The thread's next call is not confused by what went wrong in this one.
        #expect(try (x * x).item() == 4)
    }

    @Test("An error of the forward is thrown as it is")
    func errorInForward() throws {
        let x = try leaf([2])
        #expect(throws: Refusal.self) {
            _ = try customFunction("careful", of: [x]) {
                throw Refusal(description: "no")
            } backward: { gradients, _ in
                gradients
            }
        }
    }

    @Test("A gradient too few, and one of another shape, are errors")
    func wrongGradients() throws {
        let x = try leaf([2, 3])
        func run(_ results: @escaping () throws -> [Tensor?]) -> String {
            message {
                let output = try customFunction("odd", of: [x]) {
                    [try Tensor([1.0, 1])]
                } backward: { _, _ in
                    try results()
                }[0]
                try output.sum().backward()
            }
        }
        #expect(run { [] }.contains("0 gradients for 1 inputs"))
        let shape = run { [try Tensor([1.0, 2, 3])] }
        #expect(shape.contains("odd") && shape.contains("shape"), "in: \(shape)")
        #expect(try x.gradient() == nil)
    }

    @Test("Backward twice throws, but for a retained graph")
    func backwardTwice() throws {
        let (x, y) = (try leaf([2]), try leaf([5]))
        let once = try product(x, y).sum()
        try once.backward()
        let text = message { try once.backward() }
        #expect(text.contains("a second time"), "in: \(text)")
        let retained = try product(x, y).sum()
        try retained.backward(retainingGraph: true)
        try retained.backward()
        #expect(try x.gradient()?.array() == [15.0])
    }

    /// How a graph can come to its end.
    enum End: CaseIterable {
        case backward, dropped, failed, retainedThenDropped
    }

    @Test("What the backward captures is freed when the graph is", arguments: End.allCases)
    func release(_ end: End) throws {
        weak var captured: Marker?
        weak var tensor: Tensor?
        func makeGraph() throws -> Tensor {
            let (marker, saved) = (Marker(), try Tensor([3.0]))
            (captured, tensor) = (marker, saved)
            return try customFunction("keeper", of: [leaf([2])]) {
                [try saved.cloned()]
            } backward: { gradients, _ in
                withExtendedLifetime((marker, saved)) {}
                if end == .failed { throw Refusal(description: "no") }
                return gradients
            }[0]
        }
        func run() throws {
            let output = try makeGraph()
            #expect(captured != nil)
            switch end {
            case .backward: try output.sum().backward()
            case .retainedThenDropped: try output.sum().backward(retainingGraph: true)
            case .failed: #expect(throws: TorchError.self) { try output.sum().backward() }
            case .dropped: break
            }
            #expect((captured == nil) == (end == .backward))
            #expect(output.requiresGradient)
        }
        try run()
        #expect(captured == nil)
        #expect(tensor == nil)
    }

    @Test("A forward that gives an input back leaves the input what it was")
    func identity() throws {
        weak var captured: Marker?
        func run() throws {
            let (x, marker) = (try leaf([2]), Marker())
            captured = marker
            let output = try customFunction("double backward", of: [x]) {
                [x]
            } backward: { gradients, _ in
                withExtendedLifetime(marker) {}
                return [try gradients[0].map { try $0 * 2 }]
            }[0]
            try output.sum().backward()
            #expect(try x.gradient()?.array() == [2.0])
            #expect(try (x * x).sum().gradients(with: [x])[0]?.array() == [4.0])
        }
        try run()
        #expect(captured == nil)
    }

    @Test("Custom functions nest, and one may run a backward of its own")
    func nested() throws {
        let x = try leaf([3])
        let output = try customFunction("outer", of: [x]) {
            [try x.detached().squared()]
        } backward: { gradients, _ in
            // d(x²)/dx by autograd instead of by hand.
            let inner = try x.detached().requireGradient()
            let square = try withGradient { try inner * inner }
            return try square.gradients(with: [inner], seed: gradients[0])
        }[0]
        try output.sum().backward()
        #expect(try x.gradient()?.array() == [6.0])
    }
}
