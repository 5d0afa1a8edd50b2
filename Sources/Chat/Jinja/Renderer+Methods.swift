extension Renderer {
    /// Calls a method of a value.
    func call(_ bound: BoundMethod, _ given: Given) throws(Fault) -> Value {
        guard let method = Method(rawValue: bound.name) else {
            throw .unsupported("the method '\(bound.name)'")
        }
        switch bound.receiver {
        case .string(let text):
            try budget.spend(bytes: text.utf8.count)
            return try call(method, of: text, given)
        case .mapping(let mapping): return try call(method, of: mapping, given)
        case .list(let items), .tuple(let items):
            guard method == .count else { break }
            let sought = try given.bound("count()", ["value"], required: 1)[0] ?? .none
            var count = 0
            for item in items.values where try areEqual(item, sought) { count += 1 }
            return .integer(count)
        case .markup: throw .safe("a method")
        default: break
        }
        throw .failed("'\(bound.receiver.typeName)' object has no method '\(bound.name)'")
    }

    private func call(
        _ method: Method, of mapping: Mapping, _ given: Given
    ) throws(Fault) -> Value {
        let name = "\(method.rawValue)()"
        guard method == .get else {
            _ = try given.bound(name, [])
            return .view(MappingView(mapping: mapping, method: method))
        }
        guard given.named.isEmpty else { throw .failed("get() takes no keyword arguments") }
        let arguments = try given.bound(name, ["key", "default"], required: 1)
        return mapping[try hashed(arguments[0] ?? .none)] ?? arguments[1] ?? .none
    }

    private func call(_ method: Method, of text: String, _ given: Given) throws(Fault) -> Value {
        let name = "\(method.rawValue)()"
        switch method {
        case .strip, .lstrip, .rstrip:
            let characters = try characters(given.bound(name, ["chars"])[0], name)
            return .string(
                PythonText.stripped(
                    text, characters, left: method != .rstrip, right: method != .lstrip))
        case .split, .rsplit: return try split(text, method, given)
        case .splitlines:
            let keeps = try given.bound(name, ["keepends"])[0]?.isTrue ?? false
            return try list(PythonText.lines(text, keepingEnds: keeps, limit: budget.stepsLeft))
        case .startswith, .endswith: return try .bool(affix(text, method, given))
        case .replace: return try replace(text, given)
        case .join: return try join(given, separator: text)
        case .find, .count: return try search(text, method, given)
        case .upper, .lower, .title, .capitalize:
            _ = try given.bound(name, [])
            return .string(cased(text, method))
        case .get, .items, .keys, .values:
            throw .failed("'str' object has no method '\(method.rawValue)'")
        }
    }

    private func cased(_ text: String, _ method: Method) -> String {
        switch method {
        case .upper: PythonText.uppercased(text)
        case .lower: PythonText.lowercased(text)
        case .title: PythonText.titlecased(text)
        default: PythonText.capitalized(text)
        }
    }

    /// Characters to strip: none for white space.
    func characters(_ value: Value?, _ name: String) throws(Fault) -> String? {
        guard let value else { return nil }
        if case .none = value { return nil }
        guard let text = value.text else {
            throw .failed("\(name) takes a string or none, not '\(value.typeName)'")
        }
        return text
    }

    private func string(_ value: Value?, _ name: String) throws(Fault) -> String {
        guard let text = value?.text else {
            throw .failed("\(name) takes a string, not '\(value?.typeName ?? "nothing")'")
        }
        return text
    }

    private func count(_ value: Value?, _ name: String) throws(Fault) -> Int {
        guard let value else { return -1 }
        guard let count = value.integer else {
            throw .failed("\(name) takes a whole number, not '\(value.typeName)'")
        }
        return count
    }

    private func list(_ texts: [String]) throws(Fault) -> Value {
        try budget.spend(texts.count)
        return .list(try Items(texts.map { .string($0) }))
    }

    private func split(
        _ text: String, _ method: Method, _ given: Given
    ) throws(Fault) -> Value {
        let name = "\(method.rawValue)()"
        let arguments = try given.bound(name, ["sep", "maxsplit"])
        let most = try count(arguments[1], name)
        // What the budget does not have is not made; with one more part `list` refuses it.
        let limit = min(most < 0 ? .max : most, budget.stepsLeft)
        let fromEnd = method == .rsplit
        guard let separator = try characters(arguments[0], name) else {
            return try list(
                fromEnd
                    ? PythonText.wordsFromEnd(text, limit: limit)
                    : PythonText.words(text, limit: limit))
        }
        guard !separator.isEmpty else { throw .failed("empty separator") }
        return try list(
            fromEnd
                ? PythonText.splitFromEnd(text, at: separator, limit: limit)
                : PythonText.split(text, at: separator, limit: limit))
    }

    private func affix(
        _ text: String, _ method: Method, _ given: Given
    ) throws(Fault) -> Bool {
        let name = "\(method.rawValue)()"
        guard given.named.isEmpty else { throw .failed("\(name) takes no keyword arguments") }
        guard given.positional.count == 1 else {
            throw given.positional.isEmpty
                ? .failed("\(name) needs an argument")
                : .unsupported("\(name) with a start or an end")
        }
        var affixes = [given.positional[0]]
        if case .tuple(let items) = affixes[0] { affixes = items.values }
        for value in affixes {
            let affix = try string(value, name).utf8
            let isThere =
                method == .startswith
                ? text.utf8.starts(with: affix)
                : text.utf8.reversed().starts(with: affix.reversed())
            if isThere { return true }
        }
        return false
    }

    private func replace(_ text: String, _ given: Given) throws(Fault) -> Value {
        guard given.named.isEmpty else { throw .failed("replace() takes no keyword arguments") }
        let arguments = try given.bound("replace()", ["old", "new", "count"], required: 2)
        return .string(
            try replaced(
                text, string(arguments[0], "replace()"), string(arguments[1], "replace()"),
                limit: count(arguments[2], "replace()")))
    }

    func replaced(
        _ text: String, _ old: String, _ new: String, limit: Int
    ) throws(Fault) -> String {
        // The result is measured before it is made.
        let most =
            old.isEmpty ? text.utf8.count + 1 : text.utf8.count / old.utf8.count
        let (growth, overflows) = most.multipliedReportingOverflow(by: new.utf8.count)
        if overflows || growth > Budget.maximumText {
            let count = PythonText.positions(of: Array(old.utf8), in: Array(text.utf8)).count
            let (exact, overflows) = (old.isEmpty ? most : count)
                .multipliedReportingOverflow(by: new.utf8.count)
            try budget.spend(bytes: overflows ? .max : exact)
        }
        let made = PythonText.replaced(text, old, new, limit: limit)
        try budget.spend(bytes: text.utf8.count + made.utf8.count)
        return made
    }

    private func search(
        _ text: String, _ method: Method, _ given: Given
    ) throws(Fault) -> Value {
        let name = "\(method.rawValue)()"
        guard given.named.isEmpty else { throw .failed("\(name) takes no keyword arguments") }
        guard given.positional.count <= 1 else {
            throw .unsupported("\(name) with a start or an end")
        }
        let pattern = Array(try string(given.positional.first, name).utf8)
        let bytes = Array(text.utf8)
        if method == .count {
            return .integer(
                pattern.isEmpty
                    ? text.unicodeScalars.count + 1
                    : PythonText.positions(of: pattern, in: bytes).count)
        }
        guard let position = PythonText.find(pattern, in: bytes) else { return .integer(-1) }
        return .integer(String(decoding: bytes[..<position], as: UTF8.self).unicodeScalars.count)
    }

    private func join(_ given: Given, separator: String) throws(Fault) -> Value {
        guard given.named.isEmpty else { throw .failed("join() takes no keyword arguments") }
        let source = try given.bound("join()", ["values"], required: 1)[0] ?? .none
        let texts = try items(of: source).map { item throws(Fault) in
            try string(item, "join()")
        }
        return try joined(texts, separator)
    }

    func joined(_ texts: [String], _ separator: String) throws(Fault) -> Value {
        var bytes = 0
        for text in texts {
            bytes += text.utf8.count + separator.utf8.count
            guard bytes <= Budget.maximumText else { break }
        }
        try budget.spend(bytes: bytes)
        return .string(texts.joined(separator: separator))
    }
}
