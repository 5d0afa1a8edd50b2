/// Examples in their order. Of a large data set nothing but their lengths stays in memory: the tokens are in
/// a temporary file.
public struct CompletionExamples: Sendable {
    /// A token's id twice, and 1 more where the token is learnt; shared by all parts of the examples.
    private var words = TokenStore()
    private var places: [Place] = []

    private struct Place {
        let start: TokenStore.Start
        let count: Int32
        let trained: Int32
        let uncut: Int32
        /// The row of the data that the example is of.
        let row: Int32
    }

    public init() {}

    public init(_ examples: some Sequence<CompletionExample>) {
        if let same = examples as? CompletionExamples {
            self = same
        } else {
            for example in examples { append(example) }
        }
    }

    /// - Parameter row: of the data; nil for one of its own.
    public mutating func append(_ example: CompletionExample, row: Int? = nil) {
        let start = words.append(
            zip(example.ids, example.isTrained).lazy.map { id, isTrained in
                UInt32(truncatingIfNeeded: id) << 1 | (isTrained ? 1 : 0)
            })
        places.append(
            Place(
                start: start, count: Int32(clamping: example.ids.count),
                trained: Int32(clamping: example.trainedCount),
                uncut: Int32(clamping: example.uncutLength),
                row: Int32(clamping: row ?? places.count)))
    }
    /// Some of the examples, whose tokens are not copied.
    public func selecting(_ indices: [Int]) -> CompletionExamples {
        var selected = self
        selected.places = indices.map { places[$0] }
        return selected
    }

    /// The examples of which something is learnt.
    public var learnt: CompletionExamples {
        places.contains { $0.trained == 0 }
            ? selecting(places.indices.filter { places[$0].trained > 0 }) : self
    }

    /// Tokens of each example.
    public var lengths: [Int] { places.map { Int($0.count) } }

    /// Tokens of each example that are learnt.
    public var trainedCounts: [Int] { places.map { Int($0.trained) } }

    /// Examples of which tokens were cut off.
    public var cutCount: Int { places.count { $0.uncut > $0.count } }

    /// The row of each example.
    package var rows: [Int] { places.map { Int($0.row) } }

    /// Whether a token of a set is learnt in an example.
    package func learns(_ tokens: Set<Int>, in index: Int) -> Bool {
        words(of: index).contains { $0 & 1 == 1 && tokens.contains(Int($0 >> 1)) }
    }

    /// The least and the greatest id; nil without tokens.
    package var idRange: ClosedRange<Int>? {
        var range: ClosedRange<Int>?
        for index in indices {
            for word in words(of: index) {
                let id = Int(word >> 1)
                range =
                    range.map { Swift.min($0.lowerBound, id)...Swift.max($0.upperBound, id) }
                    ?? id...id
            }
        }
        return range
    }

    private func words(of index: Int) -> ArraySlice<UInt32> {
        words.words(at: places[index].start, count: Int(places[index].count))
    }
}

extension CompletionExamples: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { places.count }

    public subscript(index: Int) -> CompletionExample {
        let tokens = words(of: index)
        return CompletionExample(
            ids: tokens.map { Int($0 >> 1) }, isTrained: tokens.map { $0 & 1 == 1 },
            uncutLength: Int(places[index].uncut))
    }
}
