import Dispatch
import Foundation
import Synchronization

extension Tokenizer {
    /// The encodings of texts, in their order, made on several threads at once.
    ///
    /// - Parameter threads: nil takes as many as there are cores.
    /// - Throws: what encoding the first text throws that cannot be encoded.
    package func encode(
        _ texts: [String], addingSpecialTokens: Bool = true, maximumLength: Int? = nil,
        threads: Int? = nil
    ) throws -> [Encoding] {
        try Self.inParallel(texts.count, threads: threads) { index in
            try encode(
                texts[index], addingSpecialTokens: addingSpecialTokens,
                maximumLength: maximumLength)
        }
    }

    /// What `body` makes of every number below `count`, in order; numbers near each other go to one
    /// thread.
    ///
    /// - Throws: what it throws for the lowest number for which it does.
    package static func inParallel<Result: Sendable>(
        _ count: Int, threads: Int? = nil, _ body: @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let chunk = 32
        let chunks = (count + chunk - 1) / chunk
        let threads = min(threads ?? ProcessInfo.processInfo.activeProcessorCount, chunks)
        guard threads > 1 else { return try (0..<count).map(body) }
        let work = ParallelWork<Result>(count: count, chunk: chunk)
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            while let range = work.next() { work.run(range, body) }
        }
        return try work.results()
    }
}

/// Numbers that threads take in chunks, from the lowest on, and what they make of them.
private final class ParallelWork<Result: Sendable>: Sendable {
    private struct State {
        var next = 0
        var made: [Int: [Result]] = [:]
        /// The error of the lowest number that has one.
        var failure: (index: Int, error: any Error)?
    }

    private let state = Mutex(State())
    private let count: Int
    private let chunk: Int

    init(count: Int, chunk: Int) {
        (self.count, self.chunk) = (count, chunk)
    }

    /// The next numbers; nil when there are none, or when a lower one has failed.
    func next() -> Range<Int>? {
        state.withLock { state in
            guard state.next < count, state.failure == nil else { return nil }
            defer { state.next = min(state.next + chunk, count) }
            return state.next..<min(state.next + chunk, count)
        }
    }

    func run(_ range: Range<Int>, _ body: (Int) throws -> Result) {
        var made: [Result] = []
        made.reserveCapacity(range.count)
        for index in range {
            do {
                made.append(try body(index))
            } catch {
                return state.withLock { state in
                    if index < state.failure?.index ?? .max { state.failure = (index, error) }
                }
            }
        }
        let results = made
        state.withLock { $0.made[range.lowerBound] = results }
    }

    func results() throws -> [Result] {
        try state.withLock { state in
            if let failure = state.failure { throw failure.error }
            return stride(from: 0, to: count, by: chunk).flatMap { state.made[$0] ?? [] }
        }
    }
}
