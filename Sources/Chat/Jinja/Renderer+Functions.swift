extension Renderer {
    /// Calls a function that every template has.
    func call(_ function: Function, _ given: Given) throws(Fault) -> Value {
        switch function {
        case .raise_exception:
            let message = try given.bound("raise_exception()", ["message"], required: 1)[0]
            throw Fault(kind: .raised, text: try printed(message ?? .none))
        case .strftime_now:
            let format = try given.bound("strftime_now()", ["format"], required: 1)[0]
            guard let format = format?.text else {
                throw .failed("strftime_now() takes a string")
            }
            return .string(try LocalTime(now).text(format))
        case .namespace: return try makeNamespace(attributes(given))
        case .dict:
            let entries = try fields(given)
            return .mapping(try Mapping(entries))
        case .range: return .range(try range(given))
        }
    }

    private func attributes(_ given: Given) throws(Fault) -> [(String, Value)] {
        try fields(given).map { (key, value) throws(Fault) in
            guard let name = key.text else {
                throw .unsupported("attributes of a namespace that are no names")
            }
            guard !name.hasPrefix("_") else {
                throw .unsupported("attributes that begin with '_'")
            }
            return (name, value)
        }
    }

    /// The entries that `dict()` is given: those of a mapping, and then those by name.
    private func fields(_ given: Given) throws(Fault) -> [(Value, Value)] {
        guard given.positional.count <= 1 else {
            throw .failed("dict expected at most 1 argument, got \(given.positional.count)")
        }
        var entries: [(Value, Value)] = []
        if let first = given.positional.first {
            guard case .mapping(let mapping) = first else {
                throw .unsupported("dict() or namespace() of what is no mapping")
            }
            entries = Array(zip(mapping.keys, mapping.values))
        }
        return entries + given.named.map { (.string($0.name), $0.value) }
    }

    private func range(_ given: Given) throws(Fault) -> PythonRange {
        guard given.named.isEmpty, 1...3 ~= given.positional.count else {
            throw .failed("range() takes one to three whole numbers")
        }
        var numbers = try given.positional.map { value throws(Fault) in
            guard let number = value.integer else {
                throw .failed("range() takes whole numbers, not '\(value.typeName)'")
            }
            return number
        }
        if numbers.count == 1 { numbers.insert(0, at: 0) }
        return try PythonRange(
            start: numbers[0], stop: numbers[1], step: numbers.count > 2 ? numbers[2] : 1)
    }
}
