import DualModels
import DualModules
import DualTokenization
import DualTorch
import Foundation

/// What a merged model's configurations say of the tokens that begin and end a text, where an adapter's
/// tokenizer has others: as transformers' `align_special_tokens` has it, which its trainers call.
struct SpecialTokenAlignment {
    private let beginning, end: Int?

    /// - Throws: ``TokenizerError``.
    init(_ source: TokenizerSource) throws {
        let tokenizer = try source.isOfAdapter ? source.load() : nil
        (beginning, end) = (tokenizer?.beginningOfTextID, tokenizer?.endOfTextID)
    }

    /// `config.json`: the tokenizer's, and before others where it has a list.
    func aligned(_ fields: [String: Any]) -> [String: Any] {
        var fields = fields
        if let end { Self.put(end, "eos_token_id", in: &fields, keepingOne: false) }
        if let beginning { fields["bos_token_id"] = beginning }
        return fields
    }

    /// `generation_config.json`: any of its end tokens goes on ending a text.
    func alignGeneration(in folder: URL) throws {
        let url = folder.appendingPathComponent("generation_config.json")
        guard end != nil || beginning != nil, FileManager.default.fileExists(atPath: url.path)
        else { return }
        var fields = try ConfigurationFile(url).fieldsWithNulls
        if let end { Self.put(end, "eos_token_id", in: &fields, keepingOne: true) }
        if let beginning { fields["bos_token_id"] = beginning }
        let json = try JSONSerialization.data(
            withJSONObject: fields, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try AtomicFile.write(json, to: url)
    }

    /// - Parameter keepingOne: whether one token that stands alone stays beside the new one.
    private static func put(
        _ id: Int, _ key: String, in fields: inout [String: Any], keepingOne: Bool
    ) {
        let list = fields[key] as? [Int]
        let known = list ?? (fields[key] as? Int).map { [$0] } ?? []
        guard !known.contains(id) else { return }
        let kept = list != nil || keepingOne ? known : []
        fields[key] = kept.isEmpty ? id as Any : [id] + kept
    }
}
