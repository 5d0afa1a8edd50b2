import Synchronization

/// Remembers the tokens of words, which come again and again.
///
/// A tokenizer that encodes takes a table out and puts it back, so that no lock is held while it
/// works, and there are as many tables as threads that encode at once.
final class WordCache: Sendable {
    private let idle = Mutex<[WordTable]>([])

    func withTable(_ body: (inout WordTable) -> Void) {
        var table = idle.withLock { $0.popLast() } ?? WordTable()
        body(&table)
        let used = table
        idle.withLock { $0.append(used) }
    }
}
