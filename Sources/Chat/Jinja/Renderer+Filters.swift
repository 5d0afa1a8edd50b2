extension Renderer {
    /// `value | filter`.
    func apply(_ filter: Filter, to value: Value, _ given: Given) throws(Fault) -> Value {
        try budget.spend()
        switch filter {
        case .map, .select, .reject, .selectattr, .rejectattr, .items, .join, .first, .last, .list,
            .reverse, .length, .count, .dictsort:
            return try applyToSequence(filter, value, given)
        case .default, .d:
            let arguments = try given.bound("default", ["default_value", "boolean"])
            let replaces = value.isUndefined || (arguments[1]?.isTrue ?? false) && !value.isTrue
            return replaces ? arguments[0] ?? .string("") : value
        case .abs, .int, .float: return try number(filter, value, given)
        case .tojson: return .string(try JSONText(given, self).text(of: value))
        case .safe:
            _ = try given.bound("safe", [])
            return .markup(try printed(value))
        case .string:
            _ = try given.bound("string", [])
            if case .markup = value { return value }
            return .string(try printed(value))
        case .trim, .upper, .lower, .title, .capitalize, .replace:
            return try text(filter, value, given)
        }
    }

    private func text(_ filter: Filter, _ value: Value, _ given: Given) throws(Fault) -> Value {
        if case .markup = value { throw .safe("the filter '\(filter.rawValue)'") }
        let text = try printed(value)
        try budget.spend(bytes: text.utf8.count)
        switch filter {
        case .trim:
            let characters = try given.bound("trim", ["chars"])[0]
            return .string(PythonText.stripped(text, try self.characters(characters, "trim")))
        case .replace:
            let arguments = try given.bound("replace", ["old", "new", "count"], required: 2)
            var limit = -1
            if let count = arguments[2], !isNone(count) {
                guard let number = count.integer else {
                    throw .failed("the count of 'replace' is no whole number")
                }
                limit = number
            }
            return .string(
                try replaced(
                    text, printed(arguments[0] ?? .none), printed(arguments[1] ?? .none),
                    limit: limit))
        default:
            _ = try given.bound(filter.rawValue, [])
            return .string(cased(text, filter))
        }
    }

    private func cased(_ text: String, _ filter: Filter) -> String {
        switch filter {
        case .upper: PythonText.uppercased(text)
        case .lower: PythonText.lowercased(text)
        case .title: PythonText.capitalizedWords(text)
        default: PythonText.capitalized(text)
        }
    }

    func isNone(_ value: Value) -> Bool {
        if case .none = value { true } else { false }
    }

    // MARK: Numbers

    private func number(
        _ filter: Filter, _ value: Value, _ given: Given
    ) throws(Fault) -> Value {
        if case .undefined(let missing) = value { throw missing.fault }
        switch filter {
        case .abs:
            _ = try given.bound("abs", [])
            if case .number(let number) = value { return .number(abs(number)) }
            guard let integer = value.integer else {
                throw .failed("bad operand type for abs(): '\(value.typeName)'")
            }
            return integer < 0 ? try signed(.integer(integer), "-") : .integer(integer)
        case .int:
            let arguments = try given.bound("int", ["default", "base"])
            if let base = arguments[1], base.integer != 10 {
                throw .unsupported("bases of the filter 'int' besides 10")
            }
            return try integer(value) ?? arguments[0] ?? .integer(0)
        default:
            let fallback = try given.bound("float", ["default"])[0]
            return double(value).map { .number($0) } ?? fallback ?? .number(0)
        }
    }

    private func integer(_ value: Value) throws(Fault) -> Value? {
        if let integer = value.integer { return .integer(integer) }
        if let text = value.text, let digits = NumberText(text).integer {
            guard let integer = Int(digits) else {
                throw .limit("a whole number is beyond 64 bits")
            }
            return .integer(integer)
        }
        guard let number = double(value), !number.isNaN else { return nil }
        guard number.isFinite else {
            if value.text != nil { return nil }
            throw .failed("cannot convert float infinity to integer")
        }
        guard let integer = Int(exactly: number.rounded(.towardZero)) else {
            throw .limit("a whole number is beyond 64 bits")
        }
        return .integer(integer)
    }

    private func double(_ value: Value) -> Double? {
        value.double ?? value.text.flatMap { NumberText($0).number }
    }
}

/// A text that Python's `int` and `float` may read as a number.
private struct NumberText {
    private let text: String

    init(_ text: String) {
        self.text = PythonText.stripped(text, nil)
    }

    /// The sign and the digits of a whole number.
    var integer: String? {
        var remaining = text[...]
        let isNegative = remaining.first == "-"
        if isNegative || remaining.first == "+" { remaining.removeFirst() }
        return Self.digits(remaining).map { (isNegative ? "-" : "") + $0 }
    }

    /// Digits without the single underscores that may stand between them.
    private static func digits(_ text: Substring) -> String? {
        let groups = text.split(separator: "_", omittingEmptySubsequences: false)
        let areDigits = groups.allSatisfy { group in
            !group.isEmpty && group.unicodeScalars.allSatisfy(\.isASCIIDigit)
        }
        return areDigits ? groups.joined() : nil
    }

    var number: Double? {
        var remaining = text[...]
        let sign = remaining.first == "-" ? -1.0 : 1.0
        if remaining.first == "-" || remaining.first == "+" { remaining.removeFirst() }
        switch remaining.lowercased() {
        case "inf", "infinity": return sign * .infinity
        case "nan": return .nan
        default: break
        }
        let pieces = remaining.split(
            maxSplits: 1, omittingEmptySubsequences: false,
            whereSeparator: { $0 == "e" || $0 == "E" })
        var exponent = ""
        if pieces.count > 1 {
            var power = pieces[1]
            let mark = power.first == "-" ? "-" : ""
            if power.first == "-" || power.first == "+" { power.removeFirst() }
            guard let digits = Self.digits(power) else { return nil }
            exponent = "e" + mark + digits
        }
        let mantissa = pieces[0].split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard mantissa.contains(where: { !$0.isEmpty }) else { return nil }
        var digits: [String] = []
        for group in mantissa {
            guard let plain = group.isEmpty ? "" : Self.digits(group) else { return nil }
            digits.append(plain)
        }
        let fraction = digits.count > 1 && !digits[1].isEmpty ? digits[1] : "0"
        return Double("\(digits[0].isEmpty ? "0" : digits[0]).\(fraction)\(exponent)")
            .map { sign * $0 }
    }
}
