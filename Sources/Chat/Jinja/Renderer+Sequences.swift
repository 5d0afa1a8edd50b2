extension Renderer {
    /// What gives a value's items one by one.
    func puller(_ value: Value) throws(Fault) -> () throws(Fault) -> Value? {
        if case .iterator(let iterator) = value {
            return { () throws(Fault) in try iterator.next() }
        }
        var values = try items(of: value)[...]
        return { () throws(Fault) in values.popFirst() }
    }

    /// All items of what can be gone through.
    func items(of value: Value) throws(Fault) -> [Value] {
        if case .string(let text) = value { return try characters(of: text) }
        if case .markup(let text) = value { return try characters(of: text) }
        let values = try freeItems(of: value)
        try budget.spend(values.count)
        return values
    }

    /// Each is larger than what it is of: they are paid for before they are made.
    private func characters(of text: String) throws(Fault) -> [Value] {
        try budget.spend(text.unicodeScalars.count)
        return text.unicodeScalars.map { .string(String($0)) }
    }

    private func freeItems(of value: Value) throws(Fault) -> [Value] {
        switch value {
        case .undefined: return []
        case .list(let items), .tuple(let items): return items.values
        case .mapping(let mapping): return mapping.keys
        case .range(let range): return range.values
        case .view(let view): return try view.values
        case .iterator(let iterator):
            var values: [Value] = []
            while let item = try iterator.next() {
                try budget.spend()
                values.append(item)
            }
            return values
        case .loop: throw .unsupported("loops over 'loop'")
        default: throw .failed("'\(value.typeName)' object is not iterable")
        }
    }

    /// Python's `len`.
    func length(of value: Value) throws(Fault) -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text), .markup(let text):
            try budget.spend(bytes: text.utf8.count)
            return text.unicodeScalars.count
        case .list(let items), .tuple(let items): return items.values.count
        case .mapping(let mapping): return mapping.count
        case .range(let range): return range.count
        case .view(let view): return view.mapping.count
        default: throw .failed("object of type '\(value.typeName)' has no len()")
        }
    }
}
