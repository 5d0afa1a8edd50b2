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
        from bytes: inout [UInt8], file: String
    ) throws(TokenizerError) -> ModelTables {
        var tables = ModelTables()
        var found: [Range<Int>] = []
        var scanner = JSONScanner(bytes, file: file)
        guard scanner.peek() == UInt8(ascii: "{") else { return tables }
        try scanner.readObject { (key, scanner) throws(TokenizerError) in
            guard key.elementsEqual("model".utf8), scanner.peek() == UInt8(ascii: "{") else {
                return try scanner.skipValue()
            }
            try scanner.readObject { (key, scanner) throws(TokenizerError) in
                let first = scanner.peek()
                let start = scanner.position
                if try tables.read(key, first, &scanner) { found.append(start..<scanner.position) }
            }
        }
        for range in found.reversed() {
            bytes.replaceSubrange(range.dropFirst().dropLast(), with: EmptyCollection())
        }
        return tables
    }

    /// Reads the value of a key of the model; whether it was a table.
    private mutating func read(
        _ key: ArraySlice<UInt8>, _ first: UInt8?, _ scanner: inout JSONScanner
    ) throws(TokenizerError) -> Bool {
        switch (String(decoding: key, as: UTF8.self), first) {
        case ("vocab", UInt8(ascii: "{")):
            vocabulary = try Self.vocabulary(&scanner, field: "model.vocab")
        case ("vocab", UInt8(ascii: "[")):
            scoredVocabulary = try Self.scoredVocabulary(&scanner)
        case ("merges", UInt8(ascii: "[")):
            merges = try Self.merges(&scanner)
        default:
            try scanner.skipValue()
            return false
        }
        return true
    }

    /// Reads an object of tokens and ids.
    static func vocabulary(
        _ scanner: inout JSONScanner, field: String
    ) throws(TokenizerError) -> (tokens: TokenList, ids: [Int]) {
        var tokens = TokenList()
        var ids: [Int] = []
        try scanner.readObject { (token, scanner) throws(TokenizerError) in
            ids.append(try scanner.readID(of: token, field: field))
            tokens.append(token)
        }
        return (tokens, ids)
    }

    /// Reads merges in either spelling, `["a", "b"]` or `"a b"`; as in `tokenizers`, all of a file
    /// have one spelling.
    private static func merges(_ scanner: inout JSONScanner) throws(TokenizerError) -> TokenList {
        var merges = TokenList()
        var pairs: Bool?
        try scanner.readArray { (scanner) throws(TokenizerError) in
            let isPair = scanner.peek() == UInt8(ascii: "[")
            guard pairs ?? isPair == isPair else {
                throw .unusableValue(
                    file: scanner.file, field: "model.merges",
                    reason: "it mixes strings and pairs")
            }
            pairs = isPair
            if isPair {
                try readPair(&scanner, into: &merges)
            } else {
                try append(line: scanner.readString(), to: &merges, file: scanner.file)
            }
        }
        return merges
    }

    private static func readPair(
        _ scanner: inout JSONScanner, into merges: inout TokenList
    ) throws(TokenizerError) {
        let index = merges.count / 2
        let before = merges.count
        try scanner.readArray { (scanner) throws(TokenizerError) in
            merges.append(try scanner.readString())
        }
        guard merges.count == before + 2 else {
            throw .unusableValue(
                file: scanner.file, field: "model.merges[\(index)]",
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
