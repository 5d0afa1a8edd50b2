/// A tokenizer that cannot be loaded, or a request that it cannot meet.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
    case missingFile(folder: String, wanted: [String])
    case unreadableFile(file: String, reason: String)
    case invalidUTF8(file: String)
    case damagedFile(file: String, byte: Int, reason: String)
    case invalidJSON(file: String, reason: String)
    case missingKey(file: String, field: String)
    case invalidValue(file: String, field: String, found: String, expected: String)
    case unusableValue(file: String, field: String, reason: String)
    case unsupportedType(file: String, field: String, found: String, supported: [String])
    case emptyVocabulary(file: String, field: String)
    case missingToken(file: String, field: String, token: String)
    case duplicateID(file: String, id: Int, first: String, second: String)
    case maximumLengthTooSmall(maximum: Int, specialTokens: Int)
    /// A regular expression of the tokenizer that does not come to an end on a text in due time.
    case costlyPattern(reason: String)

    public var description: String {
        switch self {
        case .missingFile(let folder, let wanted):
            "\(folder) has no \(wanted.joined(separator: " and no ")); one is needed."
        case .unreadableFile(let file, let reason):
            "\(file) cannot be read: \(reason)"
        case .invalidUTF8(let file):
            "\(file) is not valid UTF-8; save it again as UTF-8 text."
        case .damagedFile(let file, let byte, let reason):
            "\(file) is damaged at byte \(byte): \(reason)."
        case .invalidJSON(let file, let reason):
            "\(file) is not valid JSON: \(reason)"
        case .missingKey(let file, let field):
            "\(file) lacks the field '\(field)'."
        case .invalidValue(let file, let field, let found, let expected):
            "\(file): '\(field)' is \(found), but should be \(expected)."
        case .unusableValue(let file, let field, let reason):
            "\(file): '\(field)' is not usable: \(reason)."
        case .unsupportedType(let file, let field, let found, let supported):
            "\(file): '\(field)' is '\(found)', which is not supported; "
                + "supported: \(supported.joined(separator: ", "))."
        case .emptyVocabulary(let file, let field):
            "\(file): the vocabulary\(field.isEmpty ? "" : " in '\(field)'") has no token."
        case .missingToken(let file, let field, let token):
            "\(file): the \(field) '\(token)' is not in the vocabulary; "
                + "add it there, or name a token that is."
        case .duplicateID(let file, let id, let first, let second):
            "\(file): '\(first)' and '\(second)' have the same id \(id); ids must differ."
        case .maximumLengthTooSmall(let maximum, let specialTokens):
            "A maximum length of \(maximum) has no room for the \(specialTokens) special tokens; "
                + "it must be at least \(specialTokens)."
        case .costlyPattern(let reason):
            "The tokenizer cannot be used on this text: \(reason)."
        }
    }
}
