import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@Suite struct VirtualTokensTests {
    private static let lengths = [6, 1, 4]

    private static func sequences() throws -> [[Int]] {
        try TokenBatch.sequences(lengths: lengths).map(\.ids)
    }

    /// The logits of each sequence's own tokens, in the order of the sequences: (N, vocabulary).
    private func logits(
        _ model: any TransformerModel, _ batch: TokenBatch, mode: ForwardMode = .inference
    ) throws -> Tensor {
        let all = try model.logits(batch, mode: mode)
        let places = batch.layout.places(past: 0, count: batch.ids.size(1))
        return try .joined(
            places.sequences.map { try all.selecting($0.row).slice($0.tokens) }, along: 0)
    }

    private func alone(_ model: any TransformerModel) throws -> Tensor {
        try .joined(
            Self.sequences().map { try logits(model, TokenBatch(ids: [$0], paddingID: 0)) },
            along: 0)
    }

    /// Every way to lay the sequences into rows.
    private func layouts() throws -> [TokenBatch] {
        let ids = try Self.sequences()
        return [
            try TokenBatch(ids: ids, paddingID: 0),
            try TokenBatch(ids: ids, paddingID: 0, side: .left),
            try TokenBatch(packed: ids),
        ]
    }

    @Test(
        "However sequences lie in rows, each has its own virtual tokens and sees no other's",
        arguments: TinyDecoder.all, VirtualKind.allCases)
    func layoutsAgree(_ tiny: TinyDecoder, _ kind: VirtualKind) throws {
        let model = try tiny.make()
        let bare = try withoutGradient { try alone(model) }
        let tables = try kind.add(3, to: model)
        for table in tables { try table.requireGradient() }
        let expected = try alone(model)
        #expect(try expected.largestDifference(to: bare) > 1e-2)
        let seed = try Tensor.seeded(expected.shape, seed: 5)
        let gradients = try expected.gradients(with: tables, seed: seed)
        for batch in try layouts() {
            let found = try logits(model, batch)
            #expect(try found.isClose(to: expected, absolute: 1e-4))
            for (found, expected) in zip(
                try found.gradients(with: tables, seed: seed), gradients)
            {
                let (found, expected) = (try #require(found), try #require(expected))
                #expect(try expected.norm().item() > 1e-2)
                let scale = try max(1, expected.magnitude().maximum().item())
                #expect(try found.isClose(to: expected, absolute: 1e-4 * scale))
            }
        }
    }

    @Test(
        "The kernel's values and gradients are those of LibTorch's attention in float64",
        arguments: TinyDecoder.all, VirtualKind.allCases)
    func wideNumbersAgree(_ tiny: TinyDecoder, _ kind: VirtualKind) throws {
        func result(_ dtype: DType, _ batch: TokenBatch) throws -> [Tensor] {
            let model = try tiny.make(computeType: dtype)
            let tables = try kind.add(3, to: model, dtype: dtype)
            for table in tables { try table.requireGradient() }
            let out = try logits(model, batch)
            let seed = try Tensor.seeded(out.shape, seed: 5, dtype: dtype)
            return try [out] + out.gradients(with: tables, seed: seed).map { try #require($0) }
        }
        for batch in try layouts() {
            for (found, expected) in zip(try result(.float32, batch), try result(.float64, batch)) {
                let scale = try max(1, expected.magnitude().maximum().item())
                #expect(try found.to(.float64).isClose(to: expected, absolute: 1e-4 * scale))
            }
        }
    }

    @Test(
        "Blocks that are run again give the same gradients, bit for bit",
        arguments: TinyDecoder.all, VirtualKind.allCases)
    func recomputation(_ tiny: TinyDecoder, _ kind: VirtualKind) throws {
        let model = try tiny.make()
        let tables = try kind.add(3, to: model)
        for table in tables { try table.requireGradient() }
        func gradients(_ recomputes: Bool, _ batch: TokenBatch) throws -> [Tensor] {
            let mode = ForwardMode.training(
                try Generator(seed: 1), recomputingBlocks: recomputes)
            return try logits(model, batch, mode: mode).squared().sum().gradients(with: tables)
                .map { try #require($0) }
        }
        for batch in try layouts() {
            for (found, expected) in zip(try gradients(true, batch), try gradients(false, batch)) {
                #expect(try found.isIdentical(to: expected))
            }
        }
    }

    @Test("No virtual tokens change no bit", arguments: TinyDecoder.all, VirtualKind.allCases)
    func noneAtAll(_ tiny: TinyDecoder, _ kind: VirtualKind) throws {
        let model = try tiny.make()
        for batch in try layouts() {
            let bare = try withoutGradient { try logits(model, batch) }
            if kind != .both { try kind.add(0, to: model) }
            #expect(try withoutGradient { try logits(model, batch) }.isIdentical(to: bare))
            model.slots.prefix?.adapter = nil
            model.slots.prompt?.adapter = nil
        }
    }

    @Test("Dropout of attention goes over virtual tokens, too", arguments: VirtualKind.allCases)
    func dropout(_ kind: VirtualKind) throws {
        let model = try TinyDecoder.gpt2(dropout: 0.3).make()
        try kind.add(3, to: model)
        for batch in try layouts() {
            let still = try withoutGradient { try logits(model, batch) }
            func train(_ seed: UInt64) throws -> Tensor {
                try withoutGradient {
                    try logits(model, batch, mode: .training(Generator(seed: seed)))
                }
            }
            #expect(try train(1).isIdentical(to: train(1)))
            #expect(try train(1).largestDifference(to: train(2)) > 1e-2)
            #expect(try train(1).largestDifference(to: still) > 1e-2)
        }
    }

    @Test(
        "A prefix of zeros leaves each head's output times S / (S + V), S the sum of its e^scores")
    func zeroPrefix() throws {
        let (B, H, G, T, D, V) = (2, 4, 2, 5, 8, 3)
        func heads(_ count: Int, _ seed: UInt64) throws -> Tensor {
            try .seeded([B, count, T, D], seed: seed)
        }
        let (q, k, v) = (try heads(H, 1), try heads(G, 2), try heads(G, 3))
        let layout = BatchLayout.rows(leftPadding: [0, 0])
        let places = try VirtualTokens(V, before: layout, length: T, device: .cpu)
        let zeros = try Tensor.zeros([V, G, D])
        let prefix = LayerPrefix(keys: zeros, values: zeros, tokens: places)
        let (wideQ, wideK, wideV) = try prefix.before(q, k, v)
        let visible = VisibleKeys(
            places.layout, past: 0, count: T + V, window: nil, device: .cpu)
        let found = try prefix.own(of: attendCausally(wideQ, wideK, wideV, visible: visible))
        let base = try attendCausally(
            q, k, v,
            visible: VisibleKeys(layout, past: 0, count: T, window: nil, device: .cpu))
        let shared = try k.expandedDimension(at: 2).expanded([B, G, H / G, T, D])
            .reshaped(B, H, T, D)
        let scores = try q.matmul(shared.transposed()) / Double(D).squareRoot()
        let later = try Tensor.ones([T, T], dtype: .bool).aboveDiagonal()
        let sum = try scores.exponential().filled(with: 0, where: later)
            .sum(along: -1, keepingDimension: true)
        #expect(try found.isClose(to: base * (sum / (sum + Double(V))), absolute: 1e-5))
        #expect(try found.largestDifference(to: base) > 0.1)
    }

    @Test(
        "A prompt of words is those words, and has their embeddings' gradient",
        arguments: TinyDecoder.all.map(\.description) + ["bert"])
    func promptOfWords(_ name: String) throws {
        let tiny = TinyDecoder.all.first { $0.description == name }
        let model: any TransformerModel = try tiny?.make() ?? Bert.tiny(labels: 2)
        let slot = try #require(model.slots.prompt)
        let words = slot.words
        let (before, own) = ([38, 37, 39], [3, 7, 1, 12, 5])
        try words.value.requireGradient()
        let whole = try model.hiddenStates(
            TokenBatch(ids: [before + own], paddingID: 0), mode: .inference)
        let first = tiny == nil ? 0 : before.count
        let expected = try whole.slice(first..<before.count + own.count, along: 1)
        let seed = try Tensor.seeded(expected.shape, seed: 6)
        let atWords = try #require(
            try expected.gradients(with: [words.value], seed: seed)[0])
        try words.value.requireGradient(false)

        let rows = try words.value.gathered(rows: Tensor(before)).cloned().requireGradient()
        slot.adapter = TablePrompt(rows)
        let found = try model.hiddenStates(
            TokenBatch(ids: [own], paddingID: 0), mode: .inference)
        #expect(try found.isClose(to: expected, absolute: 1e-5))
        let atRows = try #require(try found.gradients(with: [rows], seed: seed)[0])
        #expect(try atRows.norm().item() > 1e-2)
        let scale = try max(1, atWords.magnitude().maximum().item())
        #expect(
            try atRows.isClose(
                to: atWords.gathered(rows: Tensor(before)), absolute: 1e-5 * scale))
    }

    @Test("An encoder's rows do not see each other's padding", arguments: VirtualKind.allCases)
    func encoder(_ kind: VirtualKind) throws {
        let model = try Bert.tiny(labels: 3)
        let tables = try kind.add(3, to: model)
        for table in tables { try table.requireGradient() }
        let sequences = try TokenBatch.sequences(lengths: Self.lengths)
        let found = try model.logits(TokenBatch(sequences, paddingID: 0))
        let alone = try Tensor.joined(
            sequences.map { try model.logits(TokenBatch([$0], paddingID: 0)) }, along: 0)
        #expect(try found.isClose(to: alone, absolute: 1e-5))
        let mode = ForwardMode.training(try Generator(seed: 1), recomputingBlocks: true)
        let again = try model.logits(TokenBatch(sequences, paddingID: 0), mode: mode)
        for (found, expected) in zip(
            try again.sum().gradients(with: tables), try found.sum().gradients(with: tables))
        {
            #expect(try #require(found).isIdentical(to: #require(expected)))
        }
    }

    @Test("Virtual tokens leave fewer positions", arguments: VirtualKind.allCases)
    func positions(_ kind: VirtualKind) throws {
        for model in [try TinyDecoder.gpt2(dropout: 0).make(), try Bert.tiny()]
            as [any TransformerModel]
        {
            let whole = try #require(model.maximumLength)
            try kind.add(3, to: model)
            let room = whole - (kind == .both ? 4 : 3)
            #expect(model.maximumLength == room)
            _ = try model.hiddenStates(
                TokenBatch(ids: [[Int](repeating: 1, count: room)], paddingID: 0),
                mode: .inference)
            #expect(throws: ModelError.tooLong(tokens: whole + 1, limit: whole)) {
                try model.hiddenStates(
                    TokenBatch(ids: [[Int](repeating: 1, count: room + 1)], paddingID: 0),
                    mode: .inference)
            }
        }
    }
}
