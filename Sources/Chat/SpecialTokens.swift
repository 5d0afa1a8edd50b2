import DualJSON

/// The tokens that a tokenizer's files give a part to play.
enum SpecialTokens {
    private static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    /// By name, as transformers finds them: those of `tokenizer_config.json`, and over them those of
    /// `special_tokens_map.json` where the former does not list its added tokens, as it did not of old.
    static func read(from files: ModelFiles) throws -> [String: String] {
        let settingsName = ChatTemplate.settingsName
        let settings = try ChatTemplate.fields(of: settingsName, in: files)
        var tokens = try named(in: settings, files.path(settingsName))
        guard settings["added_tokens_decoder"] == nil else { return tokens }
        let mapName = "special_tokens_map.json"
        let map = try ChatTemplate.fields(of: mapName, in: files)
        for name in names where map[name] == .null { tokens[name] = nil }
        return tokens.merging(try named(in: map, files.path(mapName))) { _, later in later }
    }

    /// The tokens of a file: the usual ones and those that a model has of its own. As in transformers,
    /// `model_specific_special_tokens` counts only where no other place names one of these.
    private static func named(in fields: JSONObject, _ path: String) throws -> [String: String] {
        var tokens: [String: String] = [:]
        var own: [String: String] = [:]
        for field in fields.members where field.key.hasSuffix("_token") && field.value != .null {
            if names.contains(field.key) {
                tokens[field.key] = try text(field, path)
            } else {
                own[field.key] = text(field.value)
            }
        }
        for key in ["extra_special_tokens", "model_specific_special_tokens"]
        where key == "extra_special_tokens" || own.isEmpty {
            guard case .object(let tokens) = fields[key] else { continue }
            for token in tokens.members { own[token.key] = try text(token, path) }
        }
        return tokens.merging(own) { _, own in own }
    }

    /// A token is spelled alone, or with how it is matched.
    private static func text(_ field: JSONObject.Member, _ path: String) throws -> String {
        if let text = text(field.value) { return text }
        throw ChatTemplateError.badField(
            file: path, field: field.key, expected: "a string or an object with 'content'")
    }

    private static func text(_ value: JSONValue) -> String? {
        guard case .object(let fields) = value else { return value.text }
        return fields["content"]?.text
    }
}
