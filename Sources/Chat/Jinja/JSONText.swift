/// Python's `json.dumps`, as transformers' filter `tojson` calls it.
struct JSONText {
    private let renderer: Renderer
    private let escapesNonASCII: Bool
    private let indentation: String?
    private let itemSeparator: String
    private let keySeparator: String
    private let sortsKeys: Bool

    init(_ given: Given, _ renderer: Renderer) throws(Fault) {
        let arguments = try given.bound(
            "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"])
        self.renderer = renderer
        escapesNonASCII = arguments[0]?.isTrue ?? false
        indentation = try Self.indentation(arguments[1] ?? .none)
        sortsKeys = arguments[3]?.isTrue ?? false
        let separators = arguments[2] ?? .none
        if renderer.isNone(separators) {
            (itemSeparator, keySeparator) = (indentation == nil ? ", " : ",", ": ")
        } else {
            let texts = try renderer.items(of: separators).map(\.text)
            guard texts.count == 2, let item = texts[0], let key = texts[1] else {
                throw .failed("the separators of 'tojson' are not two strings")
            }
            (itemSeparator, keySeparator) = (item, key)
        }
    }

    private static func indentation(_ value: Value) throws(Fault) -> String? {
        if case .none = value { return nil }
        if let text = value.text { return text }
        guard let width = value.integer, width <= 1000 else {
            throw .failed("the indentation of 'tojson' is no small whole number or string")
        }
        return String(repeating: " ", count: max(0, width))
    }

    func text(of value: Value) throws(Fault) -> String {
        var text = ""
        try write(value, 0, to: &text)
        return text
    }

    private func write(_ value: Value, _ level: Int, to text: inout String) throws(Fault) {
        let before = text.utf8.count
        switch value {
        case .none: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .integer(let integer): text += String(integer)
        case .number(let number): text += Self.spelling(of: number)
        case .string(let string), .markup(let string): text += quoted(string)
        case .list(let items), .tuple(let items):
            try write(items.values.count, "[", "]", level, to: &text) {
                (index, text) throws(Fault) in
                try write(items.values[index], level + 1, to: &text)
            }
        case .mapping(let mapping): try write(mapping, level, to: &text)
        default:
            throw .failed("Object of type \(value.typeName) is not JSON serializable")
        }
        try renderer.budget.spend(bytes: text.utf8.count - before)
        guard text.utf8.count <= Budget.maximumText else {
            throw .limit("the template makes a text of more than 64 MiB")
        }
    }

    private static func spelling(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return PythonText.spelling(of: number)
    }

    /// Parts between brackets.
    private func write(
        _ count: Int, _ opening: String, _ closing: String, _ level: Int, to text: inout String,
        _ writeItem: (Int, inout String) throws(Fault) -> Void
    ) throws(Fault) {
        text += opening
        for index in 0..<count {
            if index > 0 { text += itemSeparator }
            if let indentation { text += newLine(indentation, level + 1) }
            try writeItem(index, &text)
        }
        if count > 0, let indentation { text += newLine(indentation, level) }
        text += closing
    }

    private func newLine(_ indentation: String, _ level: Int) -> String {
        "\n" + String(repeating: indentation, count: level)
    }

    private func write(
        _ mapping: Mapping, _ level: Int, to text: inout String
    ) throws(Fault) {
        var order = Array(0..<mapping.count)
        if sortsKeys {
            let keys = mapping.keys.map(\.text)
            guard keys.allSatisfy({ $0 != nil }) else {
                throw .unsupported("sorted keys that are no strings in 'tojson'")
            }
            order.sort { PythonText.order(keys[$0] ?? "", keys[$1] ?? "") < 0 }
        }
        try write(mapping.count, "{", "}", level, to: &text) { (index, text) throws(Fault) in
            text += quoted(try name(of: mapping.keys[order[index]])) + keySeparator
            try write(mapping.values[order[index]], level + 1, to: &text)
        }
    }

    private func name(of key: Value) throws(Fault) -> String {
        switch key {
        case .string(let text), .markup(let text): return text
        case .none: return "null"
        case .bool(let bool): return bool ? "true" : "false"
        case .integer(let integer): return String(integer)
        case .number(let number): return Self.spelling(of: number)
        default:
            throw .failed(
                "keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private func quoted(_ text: String) -> String {
        PythonText.quoted(text, in: "\"") { scalar in
            switch scalar {
            case "\u{8}": "\\b"
            case "\u{C}": "\\f"
            default:
                scalar.value < 32 || (escapesNonASCII && scalar.value > 126)
                    ? escaped(scalar) : nil
            }
        }
    }

    /// The UTF-16 code units of a code point.
    private func escaped(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map {
            "\\u" + PythonText.hexadecimal(UInt32($0), width: 4)
        }.joined()
    }
}
