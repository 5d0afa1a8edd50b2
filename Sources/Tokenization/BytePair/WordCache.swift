import Synchronization

/// Remembers the tokens of words, which come again and again.
///
/// A tokenizer that encodes takes the table out and puts it back, so that no lock is held while
/// it works; one that encodes at the same time on another thread starts with an empty table.
final class WordCache: Sendable {
    private let table = Mutex<WordTable?>(nil)

    func withTable(_ body: (inout WordTable) -> Void) {
        var taken =
            table.withLock { kept in
                defer { kept = nil }
                return kept
            } ?? WordTable()
        body(&taken)
        let result = taken
        table.withLock { kept in
            if kept.map({ $0.count < result.count }) ?? true { kept = result }
        }
    }
}
