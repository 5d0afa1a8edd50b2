extension Renderer {
    /// `value.name`: a method of the value's type, else its item of that name.
    func attribute(_ name: String, of value: Value) throws(Fault) -> Value {
        switch value {
        case .undefined(let missing): throw missing.fault
        case .namespace(let namespace):
            if let attribute = namespace.attributes[name] { return attribute }
        case .loop(let loop):
            if let field = LoopField(rawValue: name) { return try loop[field] }
        case .mapping(let mapping):
            if PythonMethods.mapping.contains(name) { return .method(BoundMethod(value, name)) }
            if let item = mapping[.string(Array(name.utf8))] { return item }
        case .string, .markup:
            if PythonMethods.text.contains(name) { return .method(BoundMethod(value, name)) }
        case .list:
            if PythonMethods.list.contains(name) { return .method(BoundMethod(value, name)) }
        case .tuple, .range:
            if PythonMethods.tuple.contains(name) { return .method(BoundMethod(value, name)) }
        default: break
        }
        return .undefined("'\(value.typeName)' object has no attribute '\(name)'")
    }

    /// `value[key]`: the item, else for a name the value's attribute.
    func item(_ key: Value, of value: Value) throws(Fault) -> Value {
        if let item = try plainItem(key, of: value) { return item }
        let shown = (try? shown(key)) ?? "of this kind"
        guard let name = key.text else {
            return .undefined("'\(value.typeName)' object has no element \(shown)")
        }
        if case .mapping = value {} else { return try attribute(name, of: value) }
        guard PythonMethods.mapping.contains(name) else {
            return .undefined("'dict' object has no attribute '\(name)'")
        }
        return .method(BoundMethod(value, name))
    }

    private func plainItem(_ key: Value, of value: Value) throws(Fault) -> Value? {
        switch value {
        case .undefined(let missing): throw missing.fault
        case .mapping(let mapping): return (try? hashed(key)).flatMap { mapping[$0] }
        case .list(let items), .tuple(let items):
            let position = key.integer.flatMap { self.position($0, of: items.values.count) }
            return position.map { items.values[$0] }
        case .range(let range):
            return key.integer.flatMap { position($0, of: range.count) }.map(range.value)
        case .string(let text):
            guard let index = key.integer else { return nil }
            try budget.spend(bytes: text.utf8.count)
            let scalars = text.unicodeScalars
            let count = index < 0 ? scalars.count : 0
            guard index + count >= 0,
                let position = scalars.index(
                    scalars.startIndex, offsetBy: index + count, limitedBy: scalars.endIndex),
                position != scalars.endIndex
            else { return nil }
            return .string(String(scalars[position]))
        case .markup: throw .safe("a subscript")
        default: return nil
        }
    }

    /// A value as the key of a mapping, for which its text is gone through.
    func hashed(_ value: Value) throws(Fault) -> Key {
        try budget.spend(bytes: value.text?.utf8.count ?? 0)
        return try Key(value)
    }

    /// Where an item is, that may be counted from the end; nil where there is none.
    private func position(_ index: Int, of count: Int) -> Int? {
        let position = index < 0 ? index + count : index
        return 0..<count ~= position ? position : nil
    }

    /// `value[from:to:step]`. Unlike an item, a slice that cannot be is an error.
    func slice(_ value: Value, _ bounds: [Value]) throws(Fault) -> Value {
        if case .undefined(let missing) = value { throw missing.fault }
        let numbers = try bounds.map { bound throws(Fault) in
            guard bound.integer != nil || isNone(bound) else {
                throw .failed("slice indices must be integers or None, not '\(bound.typeName)'")
            }
            return bound.integer
        }
        let slice = try Slice(from: numbers[0], to: numbers[1], step: numbers[2])
        switch value {
        case .string(let text):
            try budget.spend(bytes: text.utf8.count)
            var made = String.UnicodeScalarView()
            let scalars = Array(text.unicodeScalars)
            for index in slice.indices(in: scalars.count) { made.append(scalars[index]) }
            return .string(String(made))
        case .list(let items), .tuple(let items):
            try budget.spend(items.values.count)
            let chosen = slice.indices(in: items.values.count).map { items.values[$0] }
            let sliced = Items(chosen, of: items)
            if case .list = value { return .list(sliced) }
            return .tuple(sliced)
        case .range: throw .unsupported("slices of ranges")
        case .markup: throw .safe("a slice")
        default: throw .failed("'\(value.typeName)' object is not subscriptable by a slice")
        }
    }
}

extension Fault {
    /// Text from `safe` would have what it is joined with escaped.
    static func safe(_ operation: String) -> Fault {
        .unsupported("\(operation) of text that the filter 'safe' marks")
    }
}
