import DualJSON

/// Reads the small files of a tokenizer that name tokens, in the order of their keys.
struct TokenFileReader {
    let folder: TokenizerFolder

    /// The object in a file; an empty one where there is no such file.
    func fields(of name: String) throws -> TokenFields {
        guard folder.has(name) else { return TokenFields(members: []) }
        let file = folder.path(name)
        let value = try folder.scan(folder.text(name), name) { json in
            let value = try json.readValue()
            guard json.peek() == nil else { throw json.unexpected("the end of the file") }
            return value
        }
        return try TokenField(file: file, path: "", key: "", value: value).object()
    }
}

/// The members of an object of such a file.
struct TokenFields {
    let members: [TokenField]

    subscript(key: String) -> TokenField? { members.first { $0.key == key } }

    /// Tokens by id; nil where there is no such key.
    func tokensByID(_ key: String) throws -> [Int: AddedToken]? {
        guard let field = self[key], !field.isNull else { return nil }
        var tokens: [Int: AddedToken] = [:]
        for member in try field.object().members {
            guard let id = Int(member.key), 0...Int(UInt32.max) ~= id else {
                throw TokenizerError.unusableValue(
                    file: member.file, field: member.field,
                    reason: "its key is no integer from 0 to \(UInt32.max)")
            }
            tokens[id] = try member.token(special: nil)
        }
        return tokens
    }

    /// The tokens of keys that end in `_token` and are no role, spelled as strings or as objects.
    func ownTokens(areObjects: Bool) throws -> OwnTokens {
        var tokens = OwnTokens()
        for field in members
        where field.key.hasSuffix("_token") && TokenRole(rawValue: field.key) == nil {
            let isWanted = areObjects ? field.value.isToken : field.value.text != nil
            if isWanted { tokens.set(field.key, try field.token(special: true)) }
        }
        return tokens
    }
}

/// A value of such a file, and where it stands.
struct TokenField {
    let file: String
    /// The keys that lead to the object that it is in.
    let path: String
    let key: String
    let value: JSONValue

    var field: String { path.isEmpty ? key : "\(path).\(key)" }
    var isNull: Bool { value == .null }
    var isObject: Bool { if case .object = value { true } else { false } }

    func object() throws(TokenizerError) -> TokenFields {
        guard case .object(let object) = value else { throw isNot("an object") }
        return TokenFields(
            members: object.members.map {
                TokenField(file: file, path: field, key: $0.key, value: $0.value)
            })
    }

    func flag() throws(TokenizerError) -> Bool {
        guard case .bool(let flag) = value else { throw isNot("true or false") }
        return flag
    }

    /// An id of 32 bits without a sign, as `tokenizers` holds it.
    func id() throws(TokenizerError) -> Int {
        guard case .number(let spelling) = value, let id = Int(spelling),
            0...Int(UInt32.max) ~= id
        else { throw isNot("an integer from 0 to \(UInt32.max)") }
        return id
    }

    /// A token that is spelled alone, or as an object with how it is matched. What such an object
    /// does not say is false, and `normalized` what `special` is not.
    ///
    /// - Parameter special: nil leaves it to the object; one that is spelled alone is special.
    func token(special: Bool?) throws -> AddedToken {
        if case .string(let content) = value { return AddedToken(content: content) }
        guard isObject else { throw isNot("a string or an object with 'content'") }
        let fields = try object()
        guard let content = fields["content"] else {
            throw TokenizerError.missingKey(file: file, field: "\(field).content")
        }
        guard case .string(let text) = content.value else { throw content.isNot("a string") }
        func flag(_ key: AddedToken.CodingKeys) throws -> Bool? {
            guard let field = fields[key.rawValue], !field.isNull else { return nil }
            return try field.flag()
        }
        let isSpecial = try special ?? flag(.special) ?? false
        return AddedToken(
            content: text, singleWord: try flag(.singleWord) ?? false,
            stripsLeft: try flag(.stripsLeft) ?? false,
            stripsRight: try flag(.stripsRight) ?? false,
            normalized: try flag(.normalized) ?? !isSpecial, special: isSpecial)
    }

    /// A list of tokens; null is an empty one.
    func tokens(special: Bool?) throws -> [AddedToken] {
        if isNull { return [] }
        guard case .array(let values) = value else { throw isNot("a list of tokens") }
        return try values.enumerated().map { index, value in
            try TokenField(file: file, path: path, key: "\(key)[\(index)]", value: value)
                .token(special: special)
        }
    }

    /// The strings of a list.
    var spelledAlone: [String] {
        guard case .array(let values) = value else { return [] }
        return values.compactMap(\.text)
    }

    /// Tokens by name.
    func namedTokens() throws -> OwnTokens {
        var tokens = OwnTokens()
        for member in try object().members {
            tokens.set(member.key, try member.token(special: true))
        }
        return tokens
    }

    private func isNot(_ expected: String) -> TokenizerError {
        .invalidValue(file: file, field: field, found: value.kind, expected: expected)
    }
}

extension JSONValue {
    /// Whether it is an added token as `transformers` saves one.
    fileprivate var isToken: Bool {
        guard case .object(let fields) = self else { return false }
        return fields["content"]?.text != nil
    }
}
