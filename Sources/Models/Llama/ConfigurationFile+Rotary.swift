import DualModules
import Foundation

// Two spellings of rotary positions: `rope_parameters` with everything in it, and the older
// `rope_theta` beside `rope_scaling`. Reference: transformers' `convert_rope_params_to_dict`.
extension ConfigurationFile {
    /// The older spelling goes before the newer, as in the reference.
    private func rotaryFields() throws -> (file: ConfigurationFile, name: String)? {
        for name in ["rope_scaling", "rope_parameters"] {
            guard let value = fields[name] else { continue }
            guard let inner = value as? [String: Any] else {
                throw bad(name, found: "\(value)", expected: "an object")
            }
            if let nested = inner.first(where: { $0.value is [String: Any] })?.key {
                throw bad(
                    "\(name).\(nested)", found: "an object",
                    expected: "missing: positions that are not the same in all layers are not "
                        + "supported")
            }
            if !inner.isEmpty { return (ConfigurationFile(url, fields: inner), name) }
        }
        return nil
    }

    func rotaryBase() throws -> Double {
        let inner = try rotaryFields()
        let base = try inner?.file.number("rope_theta") ?? number("rope_theta") ?? 10000
        guard base > 0, base.isFinite else {
            throw bad("rope_theta", found: "\(base)", expected: "greater than 0")
        }
        return base
    }

    /// - Parameter maximumPositions: `max_position_embeddings`.
    func rotaryScaling(maximumPositions: Int) throws -> RotaryScaling {
        let inner = try rotaryFields()
        let partial =
            try inner?.file.number("partial_rotary_factor") ?? number("partial_rotary_factor")
        if let partial, partial != 1 {
            throw bad(
                "partial_rotary_factor", found: "\(partial)", expected: "1: all of a head turns")
        }
        guard let (file, name) = inner else { return .none }
        let type = try file.text("rope_type") ?? file.text("type") ?? "default"
        let fields = RotaryFields(file: file, name: name, type: type)
        switch type {
        case "default": return .none
        case "linear": return .linear(factor: try fields.factor())
        case "dynamic": return .dynamic(factor: try fields.factor(), length: maximumPositions)
        case "llama3":
            let (low, high) = (
                try fields.required("low_freq_factor"), try fields.required("high_freq_factor")
            )
            guard low > 0, high > low else {
                throw bad(
                    "\(name).high_freq_factor", found: "\(high)",
                    expected: "greater than low_freq_factor, \(low), and that greater than 0")
            }
            return .llama3(
                factor: try fields.factor(), lowFrequency: low, highFrequency: high,
                length: try fields.length(outer: self, maximumPositions))
        case "yarn": return try fields.yarn(outer: self, maximumPositions)
        default:
            throw bad(
                "\(name).rope_type", found: type,
                expected: "one of default, linear, dynamic, llama3, yarn")
        }
    }
}

/// The object that says how rotary positions are stretched.
private struct RotaryFields {
    let file: ConfigurationFile
    let name: String
    let type: String

    func required(_ key: String) throws -> Double {
        guard let value = try file.number(key) else {
            throw file.bad("\(name).\(key)", found: "missing", expected: "given for \(type)")
        }
        return value
    }

    func factor() throws -> Double {
        let factor = try required("factor")
        guard factor >= 1, factor.isFinite else {
            throw file.bad("\(name).factor", found: "\(factor)", expected: "at least 1")
        }
        return factor
    }

    /// The length of pretraining, which some files keep beside the object.
    func length(outer: ConfigurationFile, _ maximumPositions: Int) throws -> Int {
        let key = "original_max_position_embeddings"
        let source = outer.fields[key] == nil ? file : outer
        return try source.size(key, default: maximumPositions)
    }

    func yarn(outer: ConfigurationFile, _ maximumPositions: Int) throws -> RotaryScaling {
        let factor = try factor()
        func temperature(_ scale: Double) -> Double {
            factor <= 1 ? 1 : 0.1 * scale * log(factor) + 1
        }
        var attention = temperature(1)
        if let given = try file.number("attention_factor") {
            attention = given
        } else if let scale = try file.number("mscale"), scale != 0,
            let all = try file.number("mscale_all_dim"), all != 0
        {
            attention = temperature(scale) / temperature(all)
        }
        func ratio(_ key: String, _ fallback: Double) throws -> Double {
            guard let value = try file.number(key), value != 0 else { return fallback }
            return value
        }
        return .yarn(
            factor: factor, fast: try ratio("beta_fast", 32), slow: try ratio("beta_slow", 1),
            length: try length(outer: outer, maximumPositions),
            truncates: try file.flag("truncate") ?? true, attentionFactor: attention)
    }
}
