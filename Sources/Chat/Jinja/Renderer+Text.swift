extension Renderer {
    /// Python's `str`.
    func printed(_ value: Value) throws(Fault) -> String {
        switch value {
        case .undefined: return ""
        case .string(let text), .markup(let text): return text
        default: return try shown(value)
        }
    }

    /// Python's `repr`.
    func shown(_ value: Value) throws(Fault) -> String {
        var text = ""
        try write(value, to: &text)
        return text
    }

    private func write(_ value: Value, to text: inout String) throws(Fault) {
        let before = text.utf8.count
        switch value {
        case .undefined: text += "Undefined"
        case .none: text += "None"
        case .bool(let bool): text += bool ? "True" : "False"
        case .integer(let integer): text += String(integer)
        case .number(let number): text += PythonText.spelling(of: number)
        case .string(let string): text += PythonText.quoted(string)
        case .list(let items): try write(items.values, "[", "]", to: &text)
        case .tuple(let items):
            try write(items.values, "(", items.values.count == 1 ? ",)" : ")", to: &text)
        case .mapping(let mapping): try write(mapping, to: &text)
        case .range(let range):
            text += "range(\(range.start), \(range.stop)"
            text += range.step == 1 ? ")" : ", \(range.step))"
        case .view(let view):
            try write(view.values, "\(value.typeName)([", "])", to: &text)
        case .markup: throw .safe("the spelling")
        case .iterator, .namespace, .loop, .macro, .function, .method:
            throw .unsupported("the text of a '\(value.typeName)'")
        }
        try budget.spend(bytes: text.utf8.count - before)
        guard text.utf8.count <= Budget.maximumText else {
            throw .limit("the template makes a text of more than 64 MiB")
        }
    }

    private func write(
        _ values: [Value], _ opening: String, _ closing: String, to text: inout String
    ) throws(Fault) {
        text += opening
        for (index, value) in values.enumerated() {
            if index > 0 { text += ", " }
            try write(value, to: &text)
        }
        text += closing
    }

    private func write(_ mapping: Mapping, to text: inout String) throws(Fault) {
        text += "{"
        for (index, (key, value)) in zip(mapping.keys, mapping.values).enumerated() {
            if index > 0 { text += ", " }
            try write(key, to: &text)
            text += ": "
            try write(value, to: &text)
        }
        text += "}"
    }
}
