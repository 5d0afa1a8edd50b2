import DualModules
import DualTorch
import TestSupport
import Testing

/// Where sequences stand in a batch, by its layout.
@Suite struct TokenPlacesTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let layout: BatchLayout
        var past = 0
        let count: Int
        let sequences: [(row: Int, tokens: Range<Int>)]
    }

    static let cases = [
        Case(
            testDescription: "rows without padding", layout: .rows(leftPadding: [0, 0]), count: 3,
            sequences: [(0, 0..<3), (1, 0..<3)]),
        Case(
            testDescription: "padded on the right",
            layout: .rows(leftPadding: [0, 0, 0], lengths: [2, 4, 1]), count: 4,
            sequences: [(0, 0..<2), (1, 0..<4), (2, 0..<1)]),
        Case(
            testDescription: "padded on the left",
            layout: .rows(leftPadding: [2, 0, 3], lengths: [2, 4, 1]), count: 4,
            sequences: [(0, 2..<4), (1, 0..<4), (2, 3..<4)]),
        Case(
            testDescription: "padded on the left, as a cache says it",
            layout: .rows(leftPadding: [2, 0]), count: 4, sequences: [(0, 2..<4), (1, 0..<4)]),
        Case(
            testDescription: "packed", layout: .packed(lengths: [3, 1, 2]), count: 6,
            sequences: [(0, 0..<3), (0, 3..<4), (0, 4..<6)]),
        Case(
            testDescription: "one token behind a cache", layout: .rows(leftPadding: [2, 0]),
            past: 4, count: 1, sequences: [(0, 0..<1), (1, 0..<1)]),
        Case(
            testDescription: "padding that reaches beyond the cache",
            layout: .rows(leftPadding: [5, 0]), past: 4, count: 3,
            sequences: [(0, 1..<3), (1, 0..<3)]),
        Case(
            testDescription: "sequences that ended in the cache",
            layout: .rows(leftPadding: [0, 0], lengths: [2, 5]), past: 4, count: 2,
            sequences: [(0, 0..<0), (1, 0..<1)]),
    ]

    @Test("Each sequence has its row and its tokens", arguments: cases)
    func places(_ row: Case) {
        let found = row.layout.places(past: row.past, count: row.count)
        #expect(found.sequences.map(\.row) == row.sequences.map(\.row))
        #expect(found.sequences.map(\.tokens) == row.sequences.map(\.tokens))
        #expect(found.isContinuation == (row.past > 0))
    }

    @Test("Prompts are whole sequences, or so many of their first tokens")
    func prompts() {
        let rows = BatchLayout.rows(
            leftPadding: [2, 0, 5], lengths: [2, 4, 3], prompts: [1, 3, 2])
        let places = rows.places(past: 0, count: 4)
        #expect(places.prompts.map(\.row) == [0, 1])
        #expect(places.prompts.map(\.tokens) == [2..<3, 0..<3])
        #expect(places.sequences.map(\.tokens) == [2..<4, 0..<4])
        let packed = BatchLayout.packed(lengths: [3, 1, 2], prompts: [2, 1, 9])
        #expect(packed.places(past: 0, count: 6).prompts.map(\.tokens) == [0..<2, 3..<4, 4..<6])
        let whole = BatchLayout.packed(lengths: [3, 1]).places(past: 0, count: 4)
        #expect(whole.prompts.map(\.tokens) == [0..<3, 3..<4])
    }

    /// Doubles what it gets, and notes where it stands.
    private final class Mark: BlockAdapter {
        var parameters: [(name: String, value: Tensor)] { [] }
        private(set) var seen: [TokenPlaces] = []

        func callAsFunction(
            _ x: Tensor, at places: TokenPlaces, mode: ForwardMode
        ) throws -> Tensor {
            seen.append(places)
            return try x * 2
        }
    }

    @Test("A block's end hands its adapter the places, and adds the branch only for it")
    func blockEnd() throws {
        let end = BlockEnd(path: "b", beside: Parameter(name: "n", value: try .zeros([4])))
        #expect(end.hiddenSize == 4)
        let (stream, branch) = (
            try Tensor.seeded([1, 3, 4], seed: 1), try Tensor.seeded([1, 3, 4], seed: 2)
        )
        let places = BatchLayout.packed(lengths: [1, 2]).places(past: 0, count: 3)
        let plain = try end(
            ResidualStream(stream, branch: branch), at: places, mode: .inference)
        #expect(plain.stream === stream && plain.branch === branch)
        let mark = Mark()
        end.adapter = mark
        let changed = try end(
            ResidualStream(stream, branch: branch), at: places, mode: .inference)
        #expect(changed.branch == nil)
        #expect(try changed.stream.isIdentical(to: (stream + branch) * 2))
        #expect(mark.seen.map { $0.sequences.map(\.tokens) } == [[0..<1, 1..<3]])
    }
}
