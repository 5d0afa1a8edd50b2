/// The items of a list or a tuple, neither of which ever changes.
struct Items {
    let values: [Value]
    /// How deep values lie within values.
    let depth: Int

    init(_ values: [Value]) throws(Fault) {
        self.values = values
        depth = try Value.depth(over: values)
    }

    /// Some of another's items.
    init(_ values: [Value], of other: Items) {
        self.values = values
        depth = other.depth
    }
}
