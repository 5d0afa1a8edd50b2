/// What a template sees as `loop`: Jinja's `LoopContext`, which takes an item from its source no
/// earlier than it is asked for.
final class LoopState {
    private let pull: () throws(Fault) -> Value?
    private let depth0: Int
    /// How many items the source has, where it says so.
    private var length: Int?
    private var index0 = -1
    private var before: Value?
    private var current: Value?
    private var after: Value?
    /// Items that were taken to be counted.
    private var counted: ArraySlice<Value> = []

    init(
        length: Int?, depth0: Int, _ pull: @escaping () throws(Fault) -> Value?
    ) {
        self.length = length
        self.depth0 = depth0
        self.pull = pull
    }

    private func take() throws(Fault) -> Value? {
        if let item = counted.popFirst() { return item }
        return try pull()
    }

    func next() throws(Fault) -> Value? {
        var item = after
        after = nil
        if item == nil { item = try take() }
        guard let item else { return nil }
        index0 += 1
        (before, current) = (current, item)
        return item
    }

    private func peek() throws(Fault) -> Value? {
        if after == nil { after = try take() }
        return after
    }

    private func count() throws(Fault) -> Int {
        if let length { return length }
        var remaining: [Value] = []
        while let item = try take() { remaining.append(item) }
        counted = remaining[...]
        let total = remaining.count + index0 + 1 + (after == nil ? 0 : 1)
        length = total
        return total
    }

    subscript(_ field: LoopField) -> Value {
        get throws(Fault) {
            switch field {
            case .index: .integer(index0 + 1)
            case .index0: .integer(index0)
            case .first: .bool(index0 == 0)
            case .last: .bool(try peek() == nil)
            case .length: .integer(try count())
            case .revindex: .integer(try count() - index0)
            case .revindex0: .integer(try count() - index0 - 1)
            case .depth: .integer(depth0 + 1)
            case .depth0: .integer(depth0)
            case .previtem:
                index0 == 0
                    ? .undefined("there is no previous item")
                    : before ?? .undefined("there is no previous item")
            case .nextitem: try peek() ?? .undefined("there is no next item")
            }
        }
    }
}
