import DualNames

/// The keys under which a file of instruction data has what examples are made of.
public struct InstructionFields: Equatable, Sendable {
    public enum Field: String, CaseIterable, Sendable {
        case instruction, input, output, system, prompt, completion, messages, role, content, text,
            history, tools

        /// The keys that are looked for where the user names none: those of Alpaca, OpenAI, ShareGPT,
        /// LLaMA-Factory and TRL.
        var usualNames: [String] {
            switch self {
            case .messages: ["messages", "conversations"]
            case .role: ["role", "from"]
            case .content: ["content", "value"]
            default: [rawValue]
            }
        }
    }

    private var given: [Field: String] = [:]

    public init() {}

    /// - Parameter spelled: `field=key`, such as `output=answer`.
    /// - Throws: ``InstructionDataError/badField(text:known:)``.
    public init(_ spelled: [String]) throws(InstructionDataError) {
        for text in spelled {
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let field = Field(rawValue: String(pair[0])), !pair[1].isEmpty
            else { throw .badField(text: text, known: Field.allCases.map(\.rawValue)) }
            given[field] = String(pair[1])
        }
    }

    /// The keys that the user names, as ``init(_:)`` reads them, in the order of the fields.
    public var spelled: [String] {
        Field.allCases.compactMap { field in given[field].map { "\(field.rawValue)=\($0)" } }
    }

    /// The keys that a field may have, the first found counting.
    func names(of field: Field) -> [String] {
        given[field].map { [$0] } ?? field.usualNames
    }

    /// Refuses a key that the user names and no file has.
    /// - Parameter keys: of the files' first rows.
    /// - Throws: ``InstructionDataError/unknownKey(path:field:key:nearest:keys:)``.
    func check(_ keys: [String], path: String) throws(InstructionDataError) {
        for field in Field.allCases {
            guard let key = given[field], !keys.contains(key) else { continue }
            throw .unknownKey(
                path: path, field: field.rawValue, key: key,
                nearest: NearestName.of(key, among: keys), keys: keys)
        }
    }

    /// Whether the user named the field's key, so that it must be there.
    func isGiven(_ field: Field) -> Bool { given[field] != nil }
}
