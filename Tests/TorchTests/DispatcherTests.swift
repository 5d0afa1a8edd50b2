import DualTorch
import TestSupport
import Testing

/// The bridge: one generic call for every operator of LibTorch.
@Suite struct DispatcherTests {
    private func tensor(_ values: [OperatorValue], at index: Int = 0) throws -> Tensor {
        var found: Tensor?
        if values.indices.contains(index), case .tensor(let tensor) = values[index] {
            found = tensor
        }
        return try #require(found)
    }

    private func call(
        _ name: String, _ positional: [OperatorValue],
        _ named: KeyValuePairs<String, OperatorValue> = [:]
    ) throws -> Tensor {
        try tensor(callOperator(name, positional, named))
    }

    private func matrix() throws -> Tensor {
        try Tensor([1.0, 2, 3, 4, 5, 6], [2, 3])
    }

    // MARK: - Arguments

    @Test("Arguments come by position, then by name, and the rest from the schema")
    func positionsNamesAndDefaults() throws {
        let (x, y) = (try Tensor([1.0, 2]), try Tensor([10.0, 20]))
        #expect(try call("aten::add.Tensor", [.tensor(x), .tensor(y)]).array() == [11.0, 22])
        #expect(
            try call("aten::add.Tensor", [.tensor(x), .tensor(y)], ["alpha": 2]).array()
                == [21.0, 42])
        #expect(
            try call(
                "aten::add.Tensor", [], ["alpha": 0.5, "other": .tensor(y), "self": .tensor(x)]
            ).array() == [6.0, 12])
    }

    @Test("A scalar argument takes an integer, a number or a boolean")
    func scalars() throws {
        let x = try Tensor([1, 2])
        let sum = { (value: OperatorValue) in try call("aten::add.Scalar", [.tensor(x), value]) }
        #expect(try sum(3).array() == [4, 5])
        #expect(try sum(3).dtype == .int64)
        #expect(try sum(0.5).array() == [1.5, 2.5])
        #expect(try sum(0.5).dtype == .float32)
        #expect(try sum(true).array() == [2, 3])
    }

    @Test("A float argument takes an integer")
    func integerForFloat() throws {
        let x = try Tensor([0.0, 2])
        #expect(try call("aten::isclose", [.tensor(x), .tensor(x)], ["rtol": 1]).count == 2)
    }

    @Test("One number fills a list of fixed length")
    func oneNumberForAPair() throws {
        let image = try Tensor.ones([1, 1, 4, 4])
        let once = try call("aten::avg_pool2d", [.tensor(image), 2])
        let twice = try call("aten::avg_pool2d", [.tensor(image), .ints([2, 2])])
        #expect(once.shape == [1, 1, 2, 2])
        #expect(once.shape == twice.shape)
    }

    @Test("Lists of numbers, of floats and of booleans arrive whole")
    func lists() throws {
        #expect(try call("aten::reshape", [.tensor(matrix()), .ints([3, -1])]).shape == [3, 2])
        let line = try Tensor.ones([1, 1, 4])
        let wider = try call(
            "aten::upsample_nearest1d.vec", [.tensor(line), .none, .doubles([1.5])])
        #expect(wider.shape == [1, 1, 6])
        let x = try matrix()
        let (mean, deviation) = (
            try Tensor.zeros([2, 1], dtype: .float64), try Tensor.ones([2, 1], dtype: .float64)
        )
        let parts = try callOperator(
            "aten::native_layer_norm_backward",
            [
                .tensor(x), .tensor(x), .ints([3]), .tensor(mean), .tensor(deviation), .none, .none,
                .bools([true, false, false]),
            ])
        #expect(parts.count == 3)
        if case .none = parts[1] {} else { Issue.record("a gradient that was not asked for came") }
    }

    @Test("Booleans, strings, types and devices arrive")
    func otherKinds() throws {
        let x = try matrix()
        #expect(try call("aten::sum.dim_IntList", [.tensor(x), .ints([1]), true]).shape == [2, 1])
        let exact = try call("aten::gelu", [.tensor(x)], ["approximate": .string("none")])
        let close = try call("aten::gelu", [.tensor(x)], ["approximate": .string("tanh")])
        #expect(try 0 < exact.largestDifference(to: close))
        let empty = try call(
            "aten::zeros", [.ints([2])], ["dtype": .dtype(.int16), "device": .device(.cpu)])
        #expect(empty.dtype == .int16)
        #expect(empty.device == .cpu)
    }

    @Test("An optional argument takes none")
    func optionals() throws {
        let x = try matrix()
        #expect(try call("aten::clamp", [.tensor(x), .none, 2]).array() == [1.0, 2, 2, 2, 2, 2])
        #expect(try call("aten::clamp", [.tensor(x), 5, .none]).array() == [5.0, 5, 5, 5, 5, 6])
        let weight = try Tensor.ones([1, 3], dtype: .float64)
        let bare = try call("aten::linear", [.tensor(x), .tensor(weight), .optional(nil)])
        #expect(try bare.array() == [6.0, 15])
    }

    @Test("Lists of tensors go in and come out")
    func tensorLists() throws {
        let x = try matrix()
        let both = try call("aten::cat", [.tensors([x, x]), 1])
        #expect(both.shape == [2, 6])
        let parts = try callOperator("aten::split.Tensor", [.tensor(both), 4, 1])
        guard case .tensors(let pieces)? = parts.first else {
            Issue.record("split gave no list")
            return
        }
        #expect(pieces.map { $0?.shape } == [[2, 4], [2, 2]])
    }

    @Test("A list of optional tensors takes an absent one")
    func optionalTensorList() throws {
        let columns = try Tensor([2, 0])
        let picked = try call(
            "aten::index.Tensor", [.tensor(matrix()), .tensors([nil, columns])])
        #expect(try picked.array() == [3.0, 1, 6, 4])
    }

    @Test("An absent tensor in a list that takes none is an error")
    func absentTensorInAList() throws {
        let x = try matrix()
        let text = message { _ = try call("aten::cat", [.tensors([x, nil]), 1]) }
        #expect(text.hasPrefix("aten::cat: an absent tensor in a list that takes none"))
    }

    @Test("A tuple comes back flattened, in order")
    func tuples() throws {
        let top = try callOperator("aten::topk", [.tensor(matrix()), 2])
        #expect(top.count == 2)
        #expect(try tensor(top, at: 0).array() == [3.0, 2, 6, 5])
        #expect(try tensor(top, at: 1).array() == [2, 1, 2, 1])
        let norm = try callOperator(
            "aten::native_layer_norm", [.tensor(matrix()), .ints([3]), .none, .none, 0])
        #expect(norm.count == 3)
        #expect(try tensor(norm, at: 1).array() == [2.0, 5])
    }

    @Test("Numbers and booleans come back as such")
    func plainResults() throws {
        guard case .int(3)? = try callOperator("aten::size.int", [.tensor(matrix()), 1]).first
        else {
            Issue.record("no integer")
            return
        }
        let same = try callOperator("aten::equal", [.tensor(matrix()), .tensor(matrix())])
        guard case .bool(true)? = same.first else {
            Issue.record("no boolean")
            return
        }
    }

    @Test("A generator decides an operator's random numbers")
    func generator() throws {
        let draw = {
            try call(
                "aten::rand.generator", [.ints([5])], ["generator": .generator(Generator(seed: 7))])
        }
        #expect(try draw().isIdentical(to: draw()))
    }

    // MARK: - Errors

    /// A call that fails: what is wrong with it, and words that its message must have.
    struct Failure: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let name: String
        let positional: @Sendable (Tensor) -> [OperatorValue]
        /// An argument that is given as 1, by name.
        let named: String?
        let words: [String]

        init(
            _ claim: String, _ name: String, _ words: [String],
            named: String? = nil,
            _ positional: @escaping @Sendable (Tensor) -> [OperatorValue]
        ) {
            testDescription = claim
            (self.name, self.words, self.positional, self.named) = (name, words, positional, named)
        }
    }

    static let failures = [
        Failure("an unknown operator", "aten::no_such_thing", ["no operator of that name"]) { _ in
            []
        },
        Failure("an unknown overload", "aten::add.Nothing", ["no operator of that name"]) { _ in []
        },
        Failure("a name without a namespace", "add", ["no operator of that name"]) { _ in [] },
        Failure("an empty name", "", ["no operator of that name"]) { _ in [] },
        Failure("an unknown argument", "aten::relu", ["no argument 'slope'"], named: "slope") {
            [.tensor($0)]
        },
        Failure("a missing argument", "aten::add.Tensor", ["'other' is missing"]) { [.tensor($0)] },
        Failure("too many arguments", "aten::relu", ["too many arguments"]) {
            [.tensor($0), .tensor($0)]
        },
        Failure(
            "an argument given twice", "aten::relu", ["'self' is given twice"], named: "self"
        ) {
            [.tensor($0)]
        },
        Failure("a number for a tensor", "aten::relu", ["'self' is Tensor", "a number"]) { _ in
            [0.5]
        },
        Failure("an integer for a tensor", "aten::relu", ["'self' is Tensor", "an integer"]) { _ in
            [1]
        },
        Failure("none for a tensor", "aten::relu", ["'self' is Tensor", "none"]) { _ in [.none] },
        Failure("a tensor for a string", "aten::gelu", ["'approximate' is str", "a tensor"]) {
            [.tensor($0), .tensor($0)]
        },
        Failure("a number for an integer", "aten::select.int", ["'dim' is int", "a number"]) {
            [.tensor($0), 0.5, 0]
        },
        Failure("a list for an integer", "aten::select.int", ["'dim' is int", "a list"]) {
            [.tensor($0), .ints([0]), 0]
        },
        Failure("a tensor for a list", "aten::reshape", ["'shape' is int[]", "a single value"]) {
            [.tensor($0), .tensor($0)]
        },
        Failure("floats for a list of integers", "aten::reshape", ["'shape' is int[]"]) {
            [.tensor($0), .doubles([2, 3])]
        },
        Failure("booleans for a list of integers", "aten::reshape", ["'shape' is int[]"]) {
            [.tensor($0), .bools([true])]
        },
        Failure("tensors for a list of integers", "aten::reshape", ["'shape' is int[]"]) {
            [.tensor($0), .tensors([$0])]
        },
        Failure("integers for a list of tensors", "aten::cat", ["'tensors' is Tensor[]"]) { _ in
            [.ints([1])]
        },
        Failure("an integer for a list of tensors", "aten::cat", ["'tensors' is Tensor[]"]) { _ in
            [1]
        },
        Failure(
            "a device for a number", "aten::mul.Scalar", ["'other' is Scalar", "a device"]
        ) { [.tensor($0), .device(.cpu)] },
        Failure(
            "shapes that do not fit", "aten::matmul", ["cannot be multiplied", "2x3 and 2x3"]
        ) { [.tensor($0), .tensor($0)] },
        Failure("an index out of range", "aten::select.int", ["index 9 out of range"]) {
            [.tensor($0), 0, 9]
        },
    ]

    @Test("A call that cannot be made throws LibTorch's sentence", arguments: failures)
    func failingCall(_ row: Failure) throws {
        let x = try matrix()
        let text = message {
            if let name = row.named {
                _ = try callOperator(row.name, row.positional(x), [name: 1])
            } else {
                _ = try callOperator(row.name, row.positional(x))
            }
        }
        #expect(text.hasPrefix(row.name + ": "))
        for word in row.words { #expect(text.contains(word), "in: \(text)") }
        for noise in ["INTERNAL ASSERT", "Exception raised from", "frame #", "libtorch"] {
            #expect(!text.contains(noise), "in: \(text)")
        }
    }

    @Test("A failure is of no memory unless memory ran out")
    func outOfMemory() throws {
        let error = #expect(throws: TorchError.self) { try Tensor.empty([1 << 50]) }
        #expect(error?.isOutOfMemory == true)
        let other = #expect(throws: TorchError.self) { try matrix().matmul(matrix()) }
        #expect(other?.isOutOfMemory == false)
    }

    @Test("No thread is not a number of threads", arguments: [0, -1, .min])
    func threads(_ count: Int) {
        #expect(throws: TorchError.self) { try TorchRuntime.setThreads(count) }
        #expect(TorchRuntime.threads >= 1)
    }

    @Test("The version is that of a release")
    func version() {
        #expect(TorchRuntime.version.split(separator: ".").count >= 3)
    }
}
