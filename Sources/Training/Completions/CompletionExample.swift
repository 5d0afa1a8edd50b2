/// A sequence of tokens, and which of them a model learns to say: of a conversation the answers, of plain
/// text everything.
public struct CompletionExample: Equatable, Sendable {
    public let ids: [Int]
    /// Whether each token is learnt, that is, predicted from those before it with a loss. The first token
    /// has none before it, and never is.
    public let isTrained: [Bool]
    /// Tokens that the example had before it was cut to what a run takes.
    public let uncutLength: Int

    /// - Parameter isTrained: as many as ids.
    public init(ids: [Int], isTrained: [Bool], uncutLength: Int? = nil) {
        precondition(ids.count == isTrained.count, "every token is learnt or not")
        self.ids = ids
        self.isTrained = ids.isEmpty ? [] : [false] + isTrained.dropFirst()
        self.uncutLength = uncutLength ?? ids.count
    }

    /// A sequence of which every token is learnt.
    public init(_ ids: [Int]) {
        self.init(ids: ids, isTrained: ids.map { _ in true })
    }

    /// Tokens that are learnt.
    public var trainedCount: Int { isTrained.reduce(0) { $0 + ($1 ? 1 : 0) } }

    /// Tokens before the first that is learnt: the prompt, where all that could be is not learnt.
    package var promptLength: Int? {
        isTrained.firstIndex(of: true).flatMap { $0 > 1 ? $0 : nil }
    }

    /// Whether tokens were cut off.
    public var isCut: Bool { uncutLength > ids.count }
}

extension Fingerprint {
    /// Adds the tokens, and which of them are learnt.
    package mutating func add(_ examples: some Sequence<CompletionExample>) {
        for example in examples {
            add(example.ids.count)
            for (id, isTrained) in zip(example.ids, example.isTrained) {
                add(2 * id + (isTrained ? 1 : 0))
            }
        }
    }
}
