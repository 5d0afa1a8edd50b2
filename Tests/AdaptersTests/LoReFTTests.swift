import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

/// What is special about edits of hidden states.
@Suite struct LoReFTTests {
    private static let size = 6

    private func block(dtype: DType = .float64) throws -> BlockEnd {
        BlockEnd(
            path: "b",
            beside: Parameter(name: "n", value: try .seeded([Self.size], seed: 1, dtype: dtype)))
    }

    private func method(
        _ variant: ReFTVariant = .loreft, rank: Int = 2, _ positions: String = "f2+l1"
    ) throws -> LoReFT {
        var method = LoReFT(rank: rank, positions: try #require(EditedPositions(positions)))
        (method.variant, method.isTied) = (variant, false)
        return method
    }

    private func adapter(
        _ method: LoReFT, dtype: DType = .float64, moved: Bool = true
    ) throws -> ReFTBlock {
        let made = try method.makeAdapter(for: block(dtype: dtype), using: Generator(seed: 2))
        let adapter = try #require(made as? ReFTBlock)
        guard moved else { return adapter }
        for (index, parameter) in adapter.parameters.enumerated() {
            let noise = try Tensor.seeded(
                parameter.value.shape, seed: 20 + UInt64(index), deviation: 0.5)
            try parameter.value.copy(from: parameter.value + noise)
        }
        return adapter
    }

    private func states(_ rows: Int = 5) throws -> Tensor {
        try .seeded([rows, Self.size], seed: 3, dtype: .float64)
    }

    private func named(_ edit: ReFTEdit) -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: edit.parameters.map { ($0.name, $0.value) })
    }

    // MARK: - The formula

    @Test("Each variant is its formula", arguments: ReFTVariant.allCases)
    func formulas(_ variant: ReFTVariant) throws {
        var method = try method(variant)
        if variant.readsState { method.activation = .relu }
        let edit = try adapter(method).edits[0].edit
        let r = try PlainMatrix(edit.directions()).transposed
        let b = try PlainMatrix(edit.bias.reshaped(1, -1))
        let h = try PlainMatrix(states())
        let seen = h * r.transposed
        func rows(_ element: (Int, Int) -> Double) -> PlainMatrix { PlainMatrix(5, 2, element) }
        let change: PlainMatrix
        if variant.readsState {
            let source = try h * PlainMatrix(#require(edit.weight)).transposed
            change = rows {
                max(0, source[$0, $1] + b[0, $1]) - (variant.replacesState ? seen[$0, $1] : 0)
            }
        } else {
            change = rows { b[0, $1] - (variant.replacesState ? seen[$0, $1] : 0) }
        }
        let expected = h.combined(change * r, +)
        #expect(try edit(states()).isClose(to: expected.tensor(), absolute: 1e-12))
        let names: [ReFTVariant: [String]] = [
            .loreft: ["rotate_layer", "weight", "bias"],
            .direft: ["rotate_layer", "weight", "bias"],
            .noreft: ["proj_layer", "weight", "bias"], .nodireft: ["proj_layer", "weight", "bias"],
            .consreft: ["rotate_layer", "bias"], .lobireft: ["rotate_layer", "bias"],
        ]
        #expect(edit.parameters.map(\.name) == names[variant])
    }

    @Test(
        "R's rows are orthonormal, however its matrix has moved",
        arguments: [DType.float32, .float64])
    func orthonormal(_ dtype: DType) throws {
        for moved in [false, true] {
            let edit = try adapter(method(), dtype: dtype, moved: moved).edits[0].edit
            let distance = try edit.directions().distanceFromOrthonormalColumns()
            #expect(distance < (dtype == .float32 ? 1e-5 : 1e-12))
        }
        let start = try adapter(method(), moved: false).edits[0].edit
        #expect(try start.directions().isClose(to: start.basis, absolute: 1e-12))
    }

    @Test("What R sees becomes W h + b, and what it does not see stays")
    func postcondition() throws {
        let edit = try adapter(method()).edits[0].edit
        let (h, directions) = (try states(), try edit.directions())
        let edited = try edit(h)
        let wanted = try h.linear(#require(edit.weight), bias: edit.bias)
        #expect(try edited.matmul(directions).isClose(to: wanted, absolute: 1e-12))
        func rest(_ x: Tensor) throws -> Tensor {
            try x - x.matmul(directions).matmul(directions.transposed())
        }
        #expect(try rest(edited).isClose(to: rest(h), absolute: 1e-12))
        #expect(try edited.largestDifference(to: h) > 0.1)
    }

    @Test("With W = R and b = 0 it changes nothing")
    func identity() throws {
        let edit = try adapter(method()).edits[0].edit
        try #require(edit.weight).copy(from: edit.directions().transposed())
        try edit.bias.copy(from: Tensor.zeros([2]))
        #expect(try edit(states()).isClose(to: states(), absolute: 1e-12))
    }

    @Test(
        "The gradients are the slopes that finite differences measure, R's too",
        arguments: ReFTVariant.allCases)
    func slopes(_ variant: ReFTVariant) throws {
        let edit = try adapter(method(variant)).edits[0].edit
        let seed = try Tensor.seeded([5, Self.size], seed: 9, dtype: .float64)
        let loss = { try (edit(self.states()) * seed).sum() }
        for (name, tensor) in edit.parameters {
            try tensor.requireGradient()
            let gradient: [Double] = try #require(try loss().gradients(with: [tensor])[0]).array()
            try tensor.requireGradient(false)
            let flat = try tensor.reshaped(-1)
            for index in gradient.indices {
                let element = try flat.slice(index..<(index + 1))
                let value = try element.item()
                let sides = try [1e-6, -1e-6].map { step in
                    try element.copy(from: Tensor([value + step]))
                    return try loss().item()
                }
                try element.copy(from: Tensor([value]))
                let slope = (sides[0] - sides[1]) / 2e-6
                #expect(abs(slope - gradient[index]) < 1e-6 * max(1, abs(slope)), "\(name)")
            }
        }
    }

    // MARK: - Positions

    @Test(
        "Positions are read as the reference spells them",
        arguments: [("f1+l1", 1, 1), ("f3", 3, 0), ("l2", 0, 2), ("l2+f5", 5, 2)])
    func positions(_ text: String, _ first: Int, _ last: Int) {
        #expect(EditedPositions(text) == EditedPositions(first: first, last: last))
    }

    @Test(
        "Other texts are no positions",
        arguments: ["", "f", "f0", "1", "f1+", "f1+f2", "m3", "f-1", "f1 + l1", "f99999999"])
    func notPositions(_ text: String) { #expect(EditedPositions(text) == nil) }

    @Test("At most half of a sequence is edited from either end")
    func trimming() throws {
        let positions = EditedPositions(first: 3, last: 2)
        #expect(positions.of(10..<20) == [10, 11, 12, 18, 19])
        #expect(positions.of(4..<8) == [4, 5, 6, 7])
        #expect(positions.of(4..<7) == [4, 6])
        #expect(positions.of(4..<5) == [])
        #expect(positions.of(4..<4) == [])
    }

    @Test("Only the tokens that are meant change, first ones by one edit and last ones by another")
    func places() throws {
        let block = try adapter(method())
        #expect(block.edits.map(\.name) == ["reft_first", "reft_last"])
        let x = try Tensor.seeded([2, 6, Self.size], seed: 4, dtype: .float64)
        let places = TokenPlaces(sequences: [(0, 1..<6), (1, 0..<3)])
        let found = try block(x, at: places, mode: .inference)
        for (row, token, edit) in [(0, 1, 0), (0, 2, 0), (0, 5, 1), (1, 0, 0), (1, 2, 1)] {
            let state = try x.selecting(row).slice(token..<token + 1)
            let expected = try block.edits[edit].edit(state)
            let edited = try found.selecting(row).slice(token..<token + 1)
            #expect(try edited.isClose(to: expected, absolute: 1e-12))
            #expect(try edited.largestDifference(to: state) > 0.01)
        }
        for (row, token) in [(0, 0), (0, 3), (0, 4), (1, 1), (1, 3), (1, 4), (1, 5)] {
            #expect(
                try found.selecting(row).selecting(token).isIdentical(
                    to: x.selecting(row).selecting(token)))
        }
        let later = TokenPlaces(sequences: places.sequences, isContinuation: true)
        #expect(try block(x, at: later, mode: .inference) === x)
        let short = TokenPlaces(sequences: [(0, 0..<1), (1, 2..<3)])
        #expect(try block(x, at: short, mode: .inference) === x)
    }

    @Test("A sequence's states are edited alike however it lies in a batch")
    func layouts() throws {
        let block = try adapter(method(.loreft, rank: 2, "f3+l3"))
        let sequences = try [5, 2, 7].enumerated().map {
            try Tensor.seeded([$1, Self.size], seed: UInt64(30 + $0), dtype: .float64)
        }
        let lengths = sequences.map { $0.size(0) }
        func padded(left: Bool) throws -> Tensor {
            try .stacked(
                sequences.map {
                    let padding = try Tensor.full([7 - $0.size(0), Self.size], 9, dtype: .float64)
                    return try .joined(left ? [padding, $0] : [$0, padding], along: 0)
                })
        }
        let left = lengths.map { 7 - $0 }
        let batches: [(Tensor, BatchLayout, (Int) -> (row: Int, start: Int))] = [
            (
                try padded(left: false), .rows(leftPadding: [0, 0, 0], lengths: lengths),
                { ($0, 0) }
            ),
            (
                try padded(left: true), .rows(leftPadding: left, lengths: lengths),
                { ($0, left[$0]) }
            ),
            (
                try .joined(sequences, along: 0).expandedDimension(at: 0),
                .packed(lengths: lengths), { (0, lengths[..<$0].reduce(0, +)) }
            ),
        ]
        for (x, layout, place) in batches {
            let places = layout.places(past: 0, count: x.size(1))
            let found = try block(x, at: places, mode: .inference)
            for (index, sequence) in sequences.enumerated() {
                let alone = try block(
                    sequence.expandedDimension(at: 0),
                    at: TokenPlaces(sequences: [(0, 0..<lengths[index])]), mode: .inference)
                let (row, start) = place(index)
                let part = try found.selecting(row).slice(start..<start + lengths[index])
                #expect(try part.isClose(to: alone.selecting(0), absolute: 1e-12))
            }
            // Padding is nobody's token.
            let change = try (found - x).magnitude().sum(along: 2)
            #expect(try (change > 0).to(.float64).sum().item() == 5 - 1 + 2 + 6)
        }
    }

    @Test("Dropout drops whole edited states' elements, in training alone")
    func dropout() throws {
        var method = try method(.loreft, rank: 2, "f2")
        method.dropout = 0.5
        let block = try adapter(method)
        let x = try Tensor.seeded([1, 6, Self.size], seed: 4, dtype: .float64)
        let places = TokenPlaces(sequences: [(0, 0..<6)])
        let still: [Double] = try block(x, at: places, mode: .inference).array()
        let generator = try Generator(seed: 1)
        let found: [Double] = try block(x, at: places, mode: .training(generator)).array()
        let edited = 2 * Self.size
        #expect(found[edited...] == still[edited...])
        for (found, still) in zip(found[..<edited], still[..<edited]) {
            #expect(found == 0 || abs(found - 2 * still) < 1e-12)
        }
        #expect((1..<edited).contains(found[..<edited].filter { $0 == 0 }.count))
    }

    @Test("What is generated is not edited: a cache says what one pass says")
    func generation() throws {
        for decoder in TinyDecoder.all {
            let model = try decoder.make()
            var method = try method(.loreft, rank: 2, "f2")
            method.blocks = [0, 1]
            _ = try AdapterSet(method, of: model.slots, using: Generator(seed: 1))
            let ids = try seededIntegers(7, in: 0..<40, seed: 5)
            let whole = try withoutGradient {
                try model.logits(TokenBatch(ids: [ids], paddingID: 0))
            }
            let cache = try model.makeCache(leftPadding: [0], capacity: 7)
            var last = try model.nextLogits(Tensor(Array(ids[..<4]), [1, 4]), cache: cache)
            for place in 4..<7 {
                #expect(
                    try last.isClose(to: whole.selecting(place - 1, along: 1), absolute: 1e-4))
                last = try model.nextLogits(Tensor([ids[place]], [1, 1]), cache: cache)
            }
            #expect(try last.isClose(to: whole.selecting(6, along: 1), absolute: 1e-4))
        }
    }

    // MARK: - Numbers, files, refusals

    @Test("The published count: 32,772 at rank 4 and 4096 dimensions")
    func count() throws {
        let one = LoReFT(rank: 4, positions: EditedPositions(first: 3, last: 0))
        #expect(one.parameterCount(outputSize: 4096, inputSize: 4096) == 32_772)
        var two = LoReFT(rank: 4)
        #expect(two.parameterCount(outputSize: 4096, inputSize: 4096) == 32_772)
        two.isTied = false
        #expect(two.parameterCount(outputSize: 4096, inputSize: 4096) == 65_544)
        for variant in ReFTVariant.allCases {
            let method = try method(variant)
            let parameters = try adapter(method).parameters
            #expect(
                method.parameterCount(outputSize: Self.size, inputSize: Self.size)
                    == parameters.reduce(0) { $0 + $1.value.count })
        }
    }

    @Test("The starts are those of PyTorch's Linear, a uniform R, and a free b")
    func start() throws {
        let wide = BlockEnd(path: "b", beside: Parameter(name: "n", value: try .zeros([400])))
        func tensors(_ variant: ReFTVariant) throws -> [String: Tensor] {
            let made = try method(variant, rank: 64).makeAdapter(
                for: wide, using: Generator(seed: 3))
            return named(try #require(made as? ReFTBlock).edits[0].edit)
        }
        func checkUniform(_ tensor: Tensor?, within bound: Double) throws {
            let values: [Double] = try #require(tensor).array()
            #expect(values.allSatisfy { abs($0) <= bound })
            #expect((values.map(abs).max() ?? 0) > 0.9 * bound)
        }
        let found = try tensors(.loreft)
        try checkUniform(found["weight"], within: 0.05)
        try checkUniform(found["bias"], within: 0.05)
        try checkUniform(try tensors(.noreft)["proj_layer"], within: 0.05)
        let free: [Double] = try #require(tensors(.lobireft)["bias"]).array()
        #expect(free.allSatisfy { 0 <= $0 && $0 < 1 })
        #expect(abs(free.reduce(0, +) / 64 - 0.5) < 0.15)
    }

    @Test("A saved R is orthonormal, says the same, and is where training goes on")
    func saving() throws {
        let folder = try TemporaryFolder()
        let batch = try TokenBatch.seeded(lengths: [6, 4])
        let bert = try Bert.tiny()
        // The classifier reads the first token of the last block alone.
        var method = try method()
        method.blocks = [0]
        let set = try AdapterSet(method, of: bert.slots, using: Generator(seed: 1))
        try randomize(set, seed: 40)
        let logits = try bert.logits(batch)
        let trained = try set.parameters.map { try $0.value.cloned() }
        try AdapterFolder.write(set, baseModel: "base", to: folder.url)
        for (parameter, value) in zip(set.parameters, trained) {
            #expect(try parameter.value.isIdentical(to: value), "\(parameter.name)")
        }

        let other = try Bert.tiny()
        let loaded = try AdapterFolder(folder.url).attach(to: other.slots)
        #expect(try other.logits(batch).isClose(to: logits, absolute: 1e-5))
        let bases = loaded.parameters.filter { $0.name.hasSuffix("rotate_layer") }
        #expect(bases.count == 2)
        for (name, value) in bases {
            #expect(value.shape == [12, 2])
            #expect(try value.distanceFromOrthonormalColumns() < 1e-5, "\(name)")
            try value.requireGradient()
        }
        let leaves = bases.map(\.value)
        let loss = { try other.logits(batch, mode: .inference).squared().sum() }
        let before = try loss().item()
        let start = try leaves[0].detached().cloned()
        for _ in 0..<20 {
            let gradients = try loss().gradients(with: leaves)
            try withoutGradient {
                for (leaf, gradient) in zip(leaves, gradients) {
                    let gradient = try #require(gradient)
                    try leaf.add(gradient / gradient.norm().item(), times: -0.02)
                }
            }
        }
        #expect(try loss().item() < before)
        #expect(try leaves[0].largestDifference(to: start) > 0.01)
        for (_, value) in try loaded.savedTensors() where value.shape == [12, 2] {
            #expect(try value.distanceFromOrthonormalColumns() < 1e-5)
        }
    }

    /// Fields of a configuration that are refused, by name.
    static let badFields: [(String, any Sendable)] = [
        ("r", 0), ("r", "4"), ("positions", "first"), ("positions", 3), ("layers", "some"),
        ("layers", ["a"]), ("tied_positions", "yes"), ("dropout", 1.5), ("act_fn", "sine"),
        ("variant", "reft"),
    ]

    @Test("A field that makes no sense is refused by name", arguments: badFields.indices)
    func badField(_ index: Int) {
        let (key, value) = Self.badFields[index]
        let file = ConfigurationFile(URL(fileURLWithPath: "a.json"), fields: [key: value])
        #expect(message { _ = try LoReFT(file) }.contains("a.json: '\(key)' is "))
    }

    @Test("Fields that are not there have the method's defaults")
    func noFields() throws {
        let file = ConfigurationFile(URL(fileURLWithPath: "a.json"), fields: [:])
        #expect(try "\(LoReFT(file))" == "\(LoReFT())")
        #expect(
            try "\(AdapterP(ConfigurationFile(file.url, fields: ["use_parallel_adapter": true])))"
                == "\(AdapterP())")
        #expect(try "\(AdapterL(file))" == "\(AdapterL())")
    }

    @Test("A rank, a block or targets that the model does not have are refused")
    func refusals() throws {
        let slots = try Bert.tiny().slots
        func refusal(_ method: LoReFT, _ targets: TargetSelection = .standard) -> String {
            message {
                _ = try AdapterSet(method, targets: targets, of: slots, using: Generator(seed: 1))
            }
        }
        #expect(
            refusal(LoReFT(rank: 13))
                == "`rank` for loreft: 13 is more than the model's hidden size, 12")
        var method = LoReFT()
        method.blocks = [0, 2]
        #expect(refusal(method) == "there is no block 2: the model's are 0 to 1")
        #expect(refusal(LoReFT(), .allLinear).hasPrefix("`targets` for loreft: "))
    }
}
