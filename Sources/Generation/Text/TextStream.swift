import DualModels
import DualTokenization

/// The text of a continuation, piece by piece as it is made.
///
/// Nothing runs until a piece is asked for: `next` takes as many steps as the next piece needs, where
/// its caller is isolated, so that neither the model nor its tensors pass to another task. Pieces
/// join to the text that ``TextGenerator/generate(prompts:_:isCancelled:)`` gives; none splits a
/// character. Cancelling the task ends the stream with the text that there is.
public struct TextStream: AsyncSequence {
    /// A piece of text.
    public typealias Element = String

    let model: any CausalModel
    let ids: [Int]
    let tokenizer: Tokenizer?
    let options: GenerationOptions
    let limit: Int

    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// Makes the pieces; it holds the model's cache of keys and values.
    public struct Iterator: AsyncIteratorProtocol {
        /// Measures as the stream goes on.
        public let clock = GenerationClock()
        private let stream: TextStream
        private var search: TokenSearch?

        init(stream: TextStream) { self.stream = stream }

        /// The continuation as a whole, when the stream has ended.
        public var generation: Generation? { search?.generations.first }

        /// The tokens of the continuation so far.
        public var ids: [Int] { search?.newIDs ?? [] }

        public mutating func next() async throws -> String? { try nextPiece() }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws -> String? {
            try nextPiece()
        }

        /// The next piece, for callers that are not asynchronous; nil at the end.
        /// - Parameter isCancelled: asked before each step, besides the task.
        public mutating func nextPiece(isCancelled: () -> Bool = { false }) throws -> String? {
            let search = try search ?? start()
            while true {
                let piece = search.takeText()
                if !piece.isEmpty { return piece }
                if search.isFinished { return nil }
                if Task.isCancelled || isCancelled() {
                    search.cancel()
                } else {
                    try clock.step { try search.step() }
                }
            }
        }

        private mutating func start() throws -> TokenSearch {
            let started = try clock.reading([stream.ids]) {
                try TokenSearch(
                    stream.model, prompts: [stream.ids], tokenizer: stream.tokenizer,
                    options: stream.options, limit: stream.limit)
            }
            search = started
            return started
        }
    }
}
