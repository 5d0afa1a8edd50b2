// Checks of options that several methods share.

import DualModules

/// Ranks beyond the size of any layer are slips, and their products would not fit a number.
let ranks = 1...65_536

extension MethodOptions {
    func checkedRank(_ value: Int?, _ option: String, for facts: MethodFacts) throws -> Int? {
        guard let value else { return nil }
        guard ranks ~= value else {
            throw AdapterError.badOption(
                method: facts.name, option: option,
                reason: "\(value) is not a rank; it must be from 1 to \(ranks.upperBound)")
        }
        return value
    }

    func checkedAlpha(for facts: MethodFacts) throws -> Double? {
        guard let alpha else { return nil }
        guard alpha.isFinite, alpha > 0 else {
            throw AdapterError.badOption(
                method: facts.name, option: "alpha", reason: "\(alpha) is not greater than 0")
        }
        return alpha
    }

    func checkedDropout(for facts: MethodFacts) throws -> Double {
        let value = dropout ?? 0
        guard value >= 0, value < 1 else {
            throw AdapterError.badOption(
                method: facts.name, option: "dropout",
                reason: "\(value) is not a probability from 0 to less than 1")
        }
        return value
    }
}

extension Double {
    /// PEFT writes whole numbers such as `lora_alpha` without a point.
    var asIntegerIfWhole: Any { Int(exactly: self) ?? self }
}

extension ConfigurationFile {
    /// The rank of a saved adapter.
    func rank(_ key: String, default fallback: Int) throws -> Int {
        let value = try integer(key) ?? fallback
        guard ranks ~= value else {
            throw bad(key, found: "\(value)", expected: "from 1 to \(ranks.upperBound)")
        }
        return value
    }
}
