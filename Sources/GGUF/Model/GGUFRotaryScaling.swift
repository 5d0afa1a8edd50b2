import DualJSON
import DualTorch
import Foundation

/// How a file stretches rotary positions, in transformers' words (`rope_scaling`).
struct GGUFRotaryScaling {
    private let file: GGUFFile
    /// A key of the architecture.
    private let key: (String) -> String

    private static let factorsName = "rope_freqs.weight"

    init(_ file: GGUFFile, key: @escaping (String) -> String) {
        (self.file, self.key) = (file, key)
    }

    /// - Returns: nil for positions that are not stretched.
    func fields(base: Double) throws -> [String: Any]? {
        let typeKey = key("rope.scaling.type")
        let type = try file.text(typeKey) ?? (oldFactor() == nil ? "none" : "linear")
        for name in ["rope_factors_long.weight", "rope_factors_short.weight"]
        where file.entry(name) != nil {
            throw GGUFError.badTensor(
                name, file: file.url.path, reason: "is of positions that are not supported")
        }
        let stretched: [String: Any]?
        switch type {
        case "none": stretched = nil
        case "linear": stretched = ["rope_type": "linear", "factor": try factor()]
        case "yarn": stretched = try yarn()
        default:
            throw file.bad(
                typeKey,
                "is \(type.excerpt()), which is not supported; supported: none, linear, "
                    + "yarn, and the factors of LLaMA 3 (\(Self.factorsName))")
        }
        guard let entry = file.entry(Self.factorsName) else { return stretched }
        guard stretched == nil else {
            throw file.bad(typeKey, "is \(type), beside the tensor \(Self.factorsName)")
        }
        return try llama3(entry, base)
    }

    private func oldFactor() throws -> Double? {
        guard let factor = try file.number(key("rope.scale_linear")), factor != 1 else {
            return nil
        }
        return factor
    }

    private func factor() throws -> Double {
        let name = key("rope.scaling.factor")
        guard let factor = try file.number(name) ?? oldFactor() else {
            throw file.bad(name, "is missing from the metadata")
        }
        // llama.cpp takes 0 for none.
        return factor == 0 ? 1 : factor
    }

    private func yarn() throws -> [String: Any] {
        var fields: [String: Any] = ["rope_type": "yarn", "factor": try factor()]
        if let length = try file.count(key("rope.scaling.original_context_length")) {
            fields["original_max_position_embeddings"] = length
        }
        for (name, field) in [("beta_fast", "beta_fast"), ("beta_slow", "beta_slow")] {
            if let beta = try file.number(key("rope.scaling.yarn_\(name)")) { fields[field] = beta }
        }
        for (name, neutral) in [
            ("yarn_log_multiplier", 0.0), ("yarn_ext_factor", 1), ("alpha", 0),
        ] {
            if let number = try file.number(key("rope.scaling.\(name)")), number != neutral {
                throw file.bad(
                    key("rope.scaling.\(name)"), "is \(number), which is not supported")
            }
        }
        // There it multiplies what transformers computes without it.
        for name in ["attn_factor", "yarn_attn_factor"] {
            if let number = try file.number(key("rope.scaling.\(name)")), number != 1,
                let factor = fields["factor"] as? Double
            {
                fields["attention_factor"] = number * (factor <= 1 ? 1 : 0.1 * log(factor) + 1)
            }
        }
        return fields
    }

    /// The rule that gives the tensor's factors, one for each frequency.
    private func llama3(_ entry: GGUFFile.Entry, _ base: Double) throws -> [String: Any]? {
        guard entry.type == .f32, entry.shape.count == 1 else {
            throw GGUFError.badTensor(
                entry.name, file: file.url.path, reason: "is not a vector of F32")
        }
        let factors = try file.tensor(entry.name).array(of: Float.self).map(Double.init)
        if factors.allSatisfy({ $0 == 1 }) { return nil }
        let size = Double(2 * factors.count)
        let wavelengths = factors.indices.map {
            2 * Double.pi * pow(base, Double(2 * $0) / size)
        }
        for rule in LongRule.candidates(factors, wavelengths)
        where rule.gives(factors, wavelengths) {
            return rule.fields
        }
        throw GGUFError.badTensor(
            entry.name, file: file.url.path,
            reason: "has factors that the rule of LLaMA 3 (rope_type llama3) does not give")
    }
}

/// LLaMA 3's rule: long waves are stretched by a factor, short ones are not, and between two bounds it
/// goes from the one to the other (transformers' `_compute_llama3_parameters`).
struct LongRule {
    let factor: Double
    let low: Double
    let high: Double
    let length: Double

    /// What every model of the family has had but for the factor, and what the factors themselves say.
    static func candidates(_ factors: [Double], _ wavelengths: [Double]) -> [LongRule] {
        guard let factor = factors.max(), factor > 1 else { return [] }
        // Few frequencies leave the length open: of those that give the same factors the usual one is taken, or
        // another power of two.
        var rules = ([13] + Array(4...24)).map {
            LongRule(factor: factor, low: 1, high: 4, length: Double(1 << $0))
        }
        // 1 / factor of a wave between the bounds is linear in 1 / wavelength.
        let between = zip(factors, wavelengths).filter { $0.0 > 1 && $0.0 < factor }
        guard let first = between.first, let last = between.last, first.1 < last.1 else {
            return rules
        }
        func smooth(_ value: Double) -> Double { (1 / value - 1 / factor) / (1 - 1 / factor) }
        let slope =
            (smooth(first.0) - smooth(last.0)) / (1 / first.1 - 1 / last.1)
        let start = smooth(first.0) - slope / first.1
        // The rule is the same for a multiple of length and bounds: the low one is taken as 1.
        let width = -1 / start
        rules.append(
            LongRule(
                factor: factor, low: 1, high: rounded(1 + width), length: rounded(slope * width)))
        return rules
    }

    private static func rounded(_ number: Double) -> Double {
        abs(number - number.rounded()) < 1e-3 * abs(number) ? number.rounded() : number
    }

    func gives(_ factors: [Double], _ wavelengths: [Double]) -> Bool {
        guard high > low, low > 0, length >= 1, length.isFinite, high.isFinite else {
            return false
        }
        return zip(factors, wavelengths).allSatisfy { found, wavelength in
            abs(value(at: wavelength) - found) <= 1e-4 * found
        }
    }

    /// What a frequency is divided by.
    func value(at wavelength: Double) -> Double {
        if wavelength < length / high { return 1 }
        if wavelength > length / low { return factor }
        let smooth = (length / wavelength - low) / (high - low)
        return 1 / ((1 - smooth) / factor + smooth)
    }

    var fields: [String: Any] {
        [
            "rope_type": "llama3", "factor": factor, "low_freq_factor": low,
            "high_freq_factor": high, "original_max_position_embeddings": Int(length.rounded()),
        ]
    }
}
