/// Python's `dict`, in the order in which keys came.
final class Mapping {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private var indices: [Key: Int] = [:]
    private(set) var depth = 1

    init() {}

    init(_ entries: [(Value, Value)]) throws(Fault) {
        for (key, value) in entries { try set(key, value) }
    }

    /// Only while the mapping is made: a template cannot change one.
    func set(_ key: Value, _ value: Value) throws(Fault) {
        let hashed = try Key(key)
        if let index = indices[hashed] {
            values[index] = value
        } else {
            indices[hashed] = keys.count
            keys.append(key)
            values.append(value)
        }
        depth = max(depth, try Value.depth(over: [key, value]))
    }

    subscript(_ key: Key) -> Value? { indices[key].map { values[$0] } }

    var count: Int { keys.count }

    var pairs: [Value] {
        get throws(Fault) {
            try keys.indices.map { index throws(Fault) in
                .tuple(try Items([keys[index], values[index]]))
            }
        }
    }
}
