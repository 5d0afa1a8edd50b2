extension GGUFFile {
    func bad(_ key: String, _ reason: String) -> GGUFError {
        .badKey(key, file: url.path, reason: reason)
    }

    private func bad(_ key: String, found value: GGUFValue, expected: String) -> GGUFError {
        bad(key, "is \(value.kind), but should be \(expected)")
    }

    private func missing(_ key: String) -> GGUFError {
        bad(key, "is missing from the metadata")
    }

    func text(_ key: String) throws -> String? {
        guard let value = self[key] else { return nil }
        guard case .text(let text) = value else { throw bad(key, found: value, expected: "a text") }
        return text
    }

    func flag(_ key: String) throws -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .flag(let flag) = value else {
            throw bad(key, found: value, expected: "true or false")
        }
        return flag
    }

    /// A whole number that is not negative.
    func count(_ key: String) throws -> Int? {
        guard let value = self[key] else { return nil }
        let number: Int? =
            switch value {
            case .unsigned(let number): Int(exactly: number)
            case .signed(let number): number >= 0 ? Int(number) : nil
            default: nil
            }
        guard let number else {
            throw bad(key, found: value, expected: "a whole number that is not negative")
        }
        return number
    }

    func requiredCount(_ key: String) throws -> Int {
        guard let number = try count(key) else { throw missing(key) }
        return number
    }

    func number(_ key: String) throws -> Double? {
        guard let value = self[key] else { return nil }
        let number: Double? =
            switch value {
            case .number(let number): number.isFinite ? number : nil
            case .unsigned(let number): Double(number)
            case .signed(let number): Double(number)
            default: nil
            }
        guard let number else { throw bad(key, found: value, expected: "a finite number") }
        return number
    }

    func requiredNumber(_ key: String) throws -> Double {
        guard let number = try number(key) else { throw missing(key) }
        return number
    }

    func texts(_ key: String) throws -> [String]? {
        guard let value = self[key] else { return nil }
        guard case .array(let array) = value else {
            throw bad(key, found: value, expected: "a list of texts")
        }
        do throws(GGUFCursor.Fault) {
            if let texts = try array.texts() { return texts }
        } catch {
            throw bad(key, "has a text that \(error.reason)")
        }
        throw bad(key, "is a list, but not of texts")
    }

    func requiredTexts(_ key: String) throws -> [String] {
        guard let texts = try texts(key) else { throw missing(key) }
        return texts
    }

    /// A list of numbers.
    func numbers(_ key: String) throws -> [Double]? {
        guard let value = self[key] else { return nil }
        guard case .array(let array) = value, let values = try? array.values() else {
            throw bad(key, found: value, expected: "a list of numbers")
        }
        return try values.map { value in
            switch value {
            case .number(let number): number
            case .unsigned(let number): Double(number)
            case .signed(let number): Double(number)
            default: throw bad(key, "is a list, but not of numbers")
            }
        }
    }
}
