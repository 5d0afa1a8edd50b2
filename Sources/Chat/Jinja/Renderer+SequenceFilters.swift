extension Renderer {
    func applyToSequence(
        _ filter: Filter, _ value: Value, _ given: Given
    ) throws(Fault) -> Value {
        switch filter {
        case .map:
            return try lazily(value, given) { [self] () throws(Fault) in try mapping(given) }
        case .select, .reject, .selectattr, .rejectattr:
            return try lazily(value, given) { [self] () throws(Fault) in
                try choice(filter, given)
            }
        case .join: return try join(value, given)
        case .dictsort: return try sortedPairs(value, given)
        default: break
        }
        _ = try given.bound(filter.rawValue, [])
        switch filter {
        case .items: return try pairs(value)
        case .first: return try puller(value)() ?? .undefined("there is no first item")
        case .last: return try last(value)
        case .list: return .list(try Items(items(of: value)))
        case .reverse: return try reversed(value)
        default: return .integer(try length(of: value))
        }
    }

    private func pairs(_ value: Value) throws(Fault) -> Value {
        if case .undefined = value { return .iterator(try iterator(over: [], depth: 0)) }
        guard case .mapping(let mapping) = value else {
            return .iterator(
                try ValueIterator(depth: value.depth) { () throws(Fault) in
                    throw .failed("the filter 'items' takes a mapping, not '\(value.typeName)'")
                })
        }
        return .iterator(try iterator(over: mapping.pairs, depth: value.depth + 1))
    }

    /// The entries of a mapping in the order of their keys, or values.
    private func sortedPairs(_ value: Value, _ given: Given) throws(Fault) -> Value {
        let arguments = try given.bound("dictsort", ["case_sensitive", "by", "reverse"])
        guard case .mapping(let mapping) = value else {
            throw .failed("the filter 'dictsort' takes a mapping, not '\(value.typeName)'")
        }
        let fieldIndex = ["key", "value"].firstIndex(of: arguments[1]?.text ?? "key")
        guard let fieldIndex, arguments[1] == nil || arguments[1]?.text != nil else {
            throw .failed("the filter 'dictsort' sorts by 'key' or by 'value'")
        }
        let isSensitive = arguments[0]?.isTrue ?? false
        let before: Comparison = arguments[2]?.isTrue ?? false ? .greater : .less
        var sorted: [(key: Value, pair: Value)] = []
        for (pair, entry) in zip(try mapping.pairs, zip(mapping.keys, mapping.values)) {
            var key = fieldIndex == 0 ? entry.0 : entry.1
            if !isSensitive, let text = key.text { key = .string(PythonText.lowercased(text)) }
            var index = sorted.count
            while index > 0, try compare(key, before, sorted[index - 1].key) { index -= 1 }
            sorted.insert((key, pair), at: index)
        }
        return .list(try Items(sorted.map(\.pair)))
    }

    private func iterator(over values: [Value], depth: Int) throws(Fault) -> ValueIterator {
        var remaining = values[...]
        return try ValueIterator(depth: depth) { () throws(Fault) in remaining.popFirst() }
    }

    private func last(_ value: Value) throws(Fault) -> Value {
        if case .iterator = value {
            throw .failed("'generator' object is not reversible")
        }
        return try items(of: value).last ?? .undefined("there is no last item")
    }

    private func reversed(_ value: Value) throws(Fault) -> Value {
        let values = try items(of: value)
        switch value {
        case .string:
            return .string(
                String(
                    String.UnicodeScalarView(
                        values.reversed().flatMap { $0.text.map { Array($0.unicodeScalars) } ?? [] }
                    )))
        case .markup: throw .safe("the filter 'reverse'")
        case .iterator: return .list(try Items(values.reversed()))
        default: return .iterator(try iterator(over: values.reversed(), depth: value.depth))
        }
    }

    private func join(_ value: Value, _ given: Given) throws(Fault) -> Value {
        let arguments = try given.bound("join", ["d", "attribute"])
        let path = try arguments[1].flatMap { attribute throws(Fault) in
            isNone(attribute) ? nil : try AttributePath(attribute)
        }
        let texts = try items(of: value).map { item throws(Fault) in
            try printed(path.map { path throws(Fault) in try follow(path, from: item) } ?? item)
        }
        return try joined(texts, printed(arguments[0] ?? .string("")))
    }

    /// The item at the end of a path.
    private func follow(
        _ path: AttributePath, from value: Value, fallback: Value? = nil
    ) throws(Fault) -> Value {
        var value = value
        for key in path.keys {
            value = try item(key, of: value)
            if value.isUndefined, let fallback { value = fallback }
        }
        return value
    }

    // MARK: Items as they are asked for

    /// What becomes of one item; nil leaves it out.
    private typealias Step = (Value) throws(Fault) -> Value?

    /// What a step, made when the first is asked for, makes of a value's items.
    private func lazily(
        _ value: Value, _ given: Given, _ makeStep: @escaping () throws(Fault) -> Step
    ) throws(Fault) -> Value {
        let depth = max(
            value.depth, try Value.depth(over: given.positional + given.named.map(\.value)))
        var pull: (() throws(Fault) -> Value?)?
        var step: Step?
        return .iterator(
            try ValueIterator(depth: depth) { [self] () throws(Fault) in
                if pull == nil {
                    guard value.isTrue else { return nil }
                    step = try makeStep()
                    pull = try puller(value)
                }
                try budget.enter()
                defer { budget.leave() }
                while let item = try pull?() {
                    if let made = try step?(item) { return made }
                }
                return nil
            })
    }

    private func mapping(_ given: Given) throws(Fault) -> Step {
        if given.positional.isEmpty, given.named.contains(where: { $0.name == "attribute" }) {
            let arguments = try given.bound("map", ["attribute", "default"])
            let path = try AttributePath(arguments[0] ?? .none)
            let fallback = arguments[1].flatMap { isNone($0) ? nil : $0 }
            return { [self] item throws(Fault) in
                try follow(path, from: item, fallback: fallback)
            }
        }
        guard let name = given.positional.first?.text else {
            throw .failed("the filter 'map' needs the name of a filter, or an attribute")
        }
        guard let filter = Filter(rawValue: name) else {
            throw .unsupported("the filter '\(name)' in 'map'")
        }
        let arguments = Given(positional: Array(given.positional.dropFirst()), named: given.named)
        return { [self] item throws(Fault) in try apply(filter, to: item, arguments) }
    }

    private func choice(_ filter: Filter, _ given: Given) throws(Fault) -> Step {
        let keeps = filter == .select || filter == .selectattr
        let holds = try condition(filter, given)
        return { [self] item throws(Fault) in
            try budget.spend()
            return try holds(item) == keeps ? item : nil
        }
    }

    private func condition(
        _ filter: Filter, _ given: Given
    ) throws(Fault) -> (Value) throws(Fault) -> Bool {
        var positional = given.positional[...]
        var path = AttributePath.empty
        if filter == .selectattr || filter == .rejectattr {
            guard let attribute = positional.popFirst() else {
                throw .failed("the filter '\(filter.rawValue)' needs the name of an attribute")
            }
            path = try AttributePath(attribute)
        }
        guard let name = positional.popFirst() else {
            return { [self] item throws(Fault) in try follow(path, from: item).isTrue }
        }
        guard let test = name.text.flatMap(Test.init(named:)) else {
            throw .unsupported("such a test in '\(filter.rawValue)'")
        }
        let arguments = Given(positional: Array(positional), named: given.named)
        return { [self] item throws(Fault) in
            try holds(test, of: follow(path, from: item), arguments)
        }
    }
}

/// Names and places with points between them, as filters are given them.
private struct AttributePath {
    let keys: [Value]

    static var empty: AttributePath { AttributePath(keys: []) }

    private init(keys: [Value]) { self.keys = keys }

    init(_ attribute: Value) throws(Fault) {
        if let text = attribute.text {
            keys = PythonText.split(text, at: ".", limit: .max).map { piece in
                let isIndex = !piece.isEmpty && piece.unicodeScalars.allSatisfy(\.isASCIIDigit)
                return isIndex ? Int(piece).map { .integer($0) } ?? .string(piece) : .string(piece)
            }
        } else if case .none = attribute {
            keys = []
        } else {
            keys = [attribute]
        }
    }
}
