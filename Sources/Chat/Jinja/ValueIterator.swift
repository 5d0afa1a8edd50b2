/// A source of values that can be gone through once, as Python's generators.
final class ValueIterator {
    private let pull: () throws(Fault) -> Value?
    let depth: Int

    init(depth: Int, _ pull: @escaping () throws(Fault) -> Value?) throws(Fault) {
        self.depth = depth + 1
        self.pull = pull
        try Value.check(depth: self.depth)
    }

    func next() throws(Fault) -> Value? { try pull() }
}
