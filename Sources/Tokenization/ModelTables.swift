import DualJSON

/// The large tables of the `model` of a `tokenizer.json`: its vocabulary and its merges.
///
/// They are read byte by byte and taken out of the text. `JSONDecoder` would take seconds, and
/// keeps an object's keys in a `Dictionary` of `String`, where canonically equivalent tokens
/// become one.
struct ModelTables {
    /// A vocabulary that is an object: tokens and their ids.
    var vocabulary: (tokens: TokenList, ids: [Int])?
    /// A vocabulary that is an array: tokens and their scores.
    var scoredVocabulary: (tokens: TokenList, scores: [Double])?
    /// The two parts of every merge, one behind the other.
    var merges: TokenList?

    /// Takes the tables of `model` out of `bytes`, where empty ones stay behind.
    static func extract(
        from bytes: inout [UInt8], of name: String, in folder: TokenizerFolder
    ) throws -> ModelTables {
        var tables = ModelTables()
        var tableRanges: [Range<Int>] = []
        let file = folder.path(name)
        try folder.scan(bytes, name) { json in
            guard json.peek() == UInt8(ascii: "{") else { return }
            try json.readMembers { key, json in
                guard key.elementsEqual("model".utf8), json.peek() == UInt8(ascii: "{") else {
                    _ = try json.readValue()
                    return
                }
                try json.readMembers { key, json in
                    let first = json.peek()
                    let start = json.position
                    if try tables.read(key, first, &json, file) {
                        tableRanges.append(start..<json.position)
                    }
                }
            }
        }
        for range in tableRanges.reversed() {
            bytes.replaceSubrange(range.dropFirst().dropLast(), with: EmptyCollection())
        }
        return tables
    }

    /// Reads the value of a key of the model; whether it was a table.
    private mutating func read(
        _ key: ArraySlice<UInt8>, _ first: UInt8?, _ json: inout JSONReader, _ file: String
    ) throws -> Bool {
        switch (String(decoding: key, as: UTF8.self), first) {
        case ("vocab", UInt8(ascii: "{")):
            vocabulary = try Self.vocabulary(&json, file: file, field: "model.vocab")
        case ("vocab", UInt8(ascii: "[")):
            scoredVocabulary = try Self.scoredVocabulary(&json, file: file)
        case ("merges", UInt8(ascii: "[")):
            merges = try Self.merges(&json, file: file)
        default:
            _ = try json.readValue()
            return false
        }
        return true
    }

    /// Reads an object of tokens and ids.
    static func vocabulary(
        _ json: inout JSONReader, file: String, field: String
    ) throws -> (tokens: TokenList, ids: [Int]) {
        var tokens = TokenList()
        var ids: [Int] = []
        try json.readMembers { token, json in
            _ = json.peek()
            let start = json.position
            // `tokenizers` holds an id in 32 bits without a sign.
            guard let id = json.takeWholeNumber(), id <= Int(UInt32.max) else {
                if json.position == start { _ = try json.readValue() }
                throw TokenizerError.invalidValue(
                    file: file, field: "\(field).\(String(decoding: token, as: UTF8.self))",
                    found: String(json.spelling(from: start).prefix(40)),
                    expected: "an integer from 0 to \(UInt32.max)")
            }
            ids.append(id)
            tokens.append(token)
        }
        return (tokens, ids)
    }

    /// Reads merges in either spelling, `["a", "b"]` or `"a b"`; as in `tokenizers`, all of a file
    /// have one spelling.
    private static func merges(_ json: inout JSONReader, file: String) throws -> TokenList {
        var merges = TokenList()
        var pairs: Bool?
        try json.readElements { json in
            let isPair = json.peek() == UInt8(ascii: "[")
            guard pairs ?? isPair == isPair else {
                throw TokenizerError.unusableValue(
                    file: file, field: "model.merges", reason: "it mixes strings and pairs")
            }
            pairs = isPair
            if isPair {
                try readPair(&json, into: &merges, file: file)
            } else {
                try append(line: json.readText(), to: &merges, file: file)
            }
        }
        return merges
    }

    private static func readPair(
        _ json: inout JSONReader, into merges: inout TokenList, file: String
    ) throws {
        let before = merges.count
        try json.readElements { json in merges.append(try json.readText()) }
        guard merges.count == before + 2 else {
            throw TokenizerError.unusableValue(
                file: file, field: "model.merges[\(before / 2)]",
                reason: "it has \(merges.count - before) parts instead of 2")
        }
    }

    /// Appends a merge spelled as two tokens with one space between them. A line that starts with
    /// `#version` is passed over.
    static func append(
        line: ArraySlice<UInt8>, to merges: inout TokenList, file: String,
        field: String = "model.merges"
    ) throws(TokenizerError) {
        if line.starts(with: "#version".utf8) { return }
        let space = UInt8(ascii: " ")
        guard let gap = line.firstIndex(of: space), !line[(gap + 1)...].contains(space) else {
            throw .unusableValue(
                file: file, field: "\(field)[\(merges.count / 2)]",
                reason: "'\(String(decoding: line, as: UTF8.self))' is not two tokens with one "
                    + "space between them")
        }
        merges.append(line[..<gap])
        merges.append(line[(gap + 1)...])
    }
}
