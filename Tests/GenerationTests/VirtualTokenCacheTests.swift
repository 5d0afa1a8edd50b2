import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@Suite struct VirtualTokenCacheTests {
    private static let prompts = [[3, 9, 17, 4, 22, 8, 1], [5], [11, 30, 2, 7]]
    private static let more = [[12, 13, 14], [7, 8, 9], [21, 20, 19], [1, 2, 3]]

    /// Logits behind the last of the tokens, without a cache.
    private func plain(_ model: any CausalModel, _ ids: [Int]) throws -> Tensor {
        try withoutGradient {
            try model.logits(TokenBatch(ids: [ids], paddingID: 0))
                .selecting(ids.count - 1, along: 1).to(.float32)
        }
    }

    @Test(
        "A cache holds virtual tokens once, and changes nothing",
        arguments: Decoder.allCases, VirtualKind.allCases)
    func aCacheChangesNothing(_ decoder: Decoder, _ kind: VirtualKind) throws {
        let model = try decoder.model()
        try kind.add(3, to: model)
        let batch = try TokenBatch(ids: Self.prompts, paddingID: 0, side: .left)
        var cache = try model.makeCache(
            leftPadding: Self.prompts.map { 7 - $0.count }, capacity: 7 + Self.more.count)
        var found = try model.nextLogits(batch.ids, cache: cache)
        var rows = Self.prompts
        for (index, tokens) in Self.more.enumerated() {
            if index == 2 {
                // The rows in another order, and one of them gone.
                cache = try cache.selecting(rows: [2, 0])
                rows = [rows[2], rows[0]]
            }
            for row in rows.indices { rows[row].append(tokens[row]) }
            let next = Array(tokens.prefix(rows.count))
            found = try model.nextLogits(Tensor(next, [rows.count, 1]), cache: cache)
            for (row, ids) in rows.enumerated() {
                let expected = try plain(model, ids)
                let difference = try found.slice(row..<row + 1).largestDifference(to: expected)
                #expect(difference < 1e-4, "row \(row) differs by \(difference)")
            }
        }
        #expect(throws: CacheError.self) {
            try model.nextLogits(Tensor([1, 2], [2, 1]), cache: cache)
        }
    }

    @Test("A first token alone gets them, too", arguments: Decoder.allCases, VirtualKind.allCases)
    func aFirstTokenAlone(_ decoder: Decoder, _ kind: VirtualKind) throws {
        let model = try decoder.model()
        try kind.add(3, to: model)
        let cache = try model.makeCache(leftPadding: [0], capacity: 3)
        for count in 1...3 {
            let ids = Array([5, 9, 2].prefix(count))
            let found = try model.nextLogits(Tensor([ids[count - 1]], [1, 1]), cache: cache)
            #expect(try found.isClose(to: plain(model, ids), absolute: 1e-4))
        }
    }

    @Test("Several tokens may follow", arguments: Decoder.allCases, VirtualKind.allCases)
    func severalTokensFollow(_ decoder: Decoder, _ kind: VirtualKind) throws {
        let model = try decoder.model()
        try kind.add(3, to: model)
        let cache = try model.makeCache(leftPadding: [0], capacity: 6)
        _ = try model.nextLogits(Tensor([5, 9, 2], [1, 3]), cache: cache)
        let found = try model.nextLogits(Tensor([8, 1, 4], [1, 3]), cache: cache)
        #expect(try found.isClose(to: plain(model, [5, 9, 2, 8, 1, 4]), absolute: 1e-4))
    }
}
