import DualModules
import DualTorch
import Foundation

/// Tokens whose rows an adapter brings, by the embedding or head that the rows are of: PEFT's
/// `trainable_token_indices`.
struct TokenIndices {
    static let key = "trainable_token_indices"

    private struct Entry {
        /// The end of the path of an embedding or head; nil for the embedding of words.
        let module: String?
        let ids: [Int]
    }

    private let entries: [Entry]
    private let file: ConfigurationFile

    /// - Throws: ``ConfigurationError`` for what is neither a list of tokens nor lists by module.
    init(_ file: ConfigurationFile) throws {
        self.file = file
        func ids(_ value: Any) throws -> [Int] {
            let numbers = (value as? [Any])?.map(Self.token)
            guard let numbers, !numbers.contains(nil) else {
                throw file.bad(
                    Self.key, found: "\(value)".shortened,
                    expected: "token ids, or lists of them by module")
            }
            return numbers.compactMap { $0 }
        }
        switch file.fields[Self.key] {
        case nil: entries = []
        case let lists as [String: Any]:
            entries = try file.keys(of: Self.key).compactMap { name in
                try lists[name].map { Entry(module: name, ids: try ids($0)) }
            }
        case let list?: entries = [Entry(module: nil, ids: try ids(list))]
        }
    }

    /// A token's id; nil for what is none.
    private static func token(_ value: Any) -> Int? {
        guard let number = value as? NSNumber, String(cString: number.objCType) != "c",
            let id = Int(exactly: number.doubleValue), id >= 0
        else { return nil }
        return id
    }

    var isEmpty: Bool { entries.allSatisfy(\.ids.isEmpty) }

    /// How many rows an embedding of so many needs for all of the tokens: each that it lacks must be one of
    /// them.
    /// - Throws: ``AdapterError/unsupported(file:key:found:reason:)``.
    func rowsNeeded(beyond count: Int) throws -> Int {
        let new = Set(entries.flatMap(\.ids).filter { $0 >= count })
        guard let last = new.max(), last - count >= new.count else { return count + new.count }
        throw bad(
            "\(last)",
            "but the model has \(count) rows, and nothing in the adapter's folder brings those between"
        )
    }

    /// The parts that bring the rows, as they are in the model.
    /// - Throws: ``AdapterError/unsupported(file:key:found:reason:)`` for a module or token that the model
    ///   does not have.
    func parts(for slots: AdapterSlots) throws -> [PlacedPart] {
        var rows: [(end: VocabularyEnd, ids: [Int])] = []
        for entry in entries where !entry.ids.isEmpty {
            guard let end = slots.vocabularyEnd(named: entry.module) else {
                throw bad(
                    "of '\(entry.module ?? "")'", "which is no embedding and no head of this model")
            }
            guard Set(entry.ids).count == entry.ids.count else {
                throw bad("\(entry.ids)".shortened, "which names a token twice")
            }
            if let id = entry.ids.first(where: { $0 >= end.weight.size(0) }) {
                throw bad("\(id)", "but '\(end.path)' has \(end.weight.size(0)) rows")
            }
            rows.append((end, entry.ids))
        }
        return try slots.tokenParts(rows)
    }

    private func bad(_ found: String, _ reason: String) -> AdapterError {
        .unsupported(file: file.url.path, key: Self.key, found: found, reason: reason)
    }
}

/// Where the rows of tokens are: an embedding, or a head.
enum VocabularyEnd {
    case embedding(Embedding)
    case head(Linear)

    var path: String {
        switch self {
        case .embedding(let embedding): embedding.path
        case .head(let head): head.path
        }
    }

    var isEmbedding: Bool { if case .embedding = self { true } else { false } }

    var weight: StoredWeight {
        switch self {
        case .embedding(let embedding): embedding.weight.stored
        case .head(let head): head.weight.stored
        }
    }
}

extension AdapterSlots {
    /// The embedding or head whose path ends so; without a name the embedding of words.
    fileprivate func vocabularyEnd(named name: String?) -> VocabularyEnd? {
        guard let name else { return embeddings.first.map(VocabularyEnd.embedding) }
        if name.isEmpty { return nil }
        if let embedding = embeddings.first(where: { $0.path.hasSuffix(name) }) {
            return .embedding(embedding)
        }
        return head.flatMap { $0.path.hasSuffix(name) ? .head($0) : nil }
    }

    /// Parts for rows of some tokens. A head that shares the embedding's weight follows its rows, unless it
    /// has others of its own.
    func tokenParts(_ rows: [(end: VocabularyEnd, ids: [Int])]) throws -> [PlacedPart] {
        let tied = tiedHead.flatMap { $0.isApart ? nil : $0 }
        var parts: [PlacedPart] = []
        var shared: TokenRows?
        for (end, ids) in rows.filter(\.end.isEmbedding) + rows.filter({ !$0.end.isEmbedding }) {
            let tokens = try TokenRows(ids, of: end.weight)
            switch end {
            case .embedding(let embedding):
                parts.append(.embedding(embedding, tokens))
                if embedding.weight === tied?.embedding { shared = tokens }
            case .head(let head):
                if let shared, shared.ids == ids { continue }
                shared = nil
                parts.append(.linear(head, HeadTokenRows(tokens)))
            }
        }
        guard let shared, let head else { return parts }
        return parts + [.linear(head, HeadTokenRows(shared, followsEmbedding: true))]
    }

    /// Parts for rows of some tokens at the embedding of words and at the head, but for what trains whole. A
    /// head that shares the embedding's weight follows it.
    /// - Throws: ``AdapterError/badOption(method:option:reason:)`` for such a head that trains alone.
    func tokenParts(_ ids: [Int], beside saved: [Parameter]) throws -> [PlacedPart] {
        guard !ids.isEmpty, let words = embeddings.first else { return [] }
        let whole = Set(saved.map(\.modulePath))
        let (savesWords, savesHead) = (
            whole.contains(words.path), head.map { whole.contains($0.path) } ?? true
        )
        let isTied = tiedHead.map { !$0.isApart } ?? false
        guard !(isTied && savesHead && !savesWords) || head == nil else {
            throw AdapterError.badOption(
                method: "an adapter", option: "modules-to-save",
                reason: "the head shares the embedding's weight: with `add-tokens` name "
                    + "'\(words.path)' too, or neither")
        }
        var rows: [(end: VocabularyEnd, ids: [Int])] = []
        if !savesWords { rows.append((.embedding(words), ids)) }
        if let head, !savesHead, !isTied || savesWords { rows.append((.head(head), ids)) }
        return try tokenParts(rows)
    }
}

extension [PlacedPart] {
    /// `trainable_token_indices` of parts that bring rows of tokens; nil where there are none.
    /// - Parameter path: of a module, as the file has it.
    var tokenIndices: Any? {
        var lists: [(path: String, ids: [Int])] = []
        for part in self {
            switch part {
            case .embedding(let embedding, let tokens as TokenRows):
                lists.append((embedding.path, tokens.ids))
            case .linear(let head, let rows as HeadTokenRows) where !rows.followsEmbedding:
                lists.append((head.path, rows.tokens.ids))
            default: break
            }
        }
        guard !lists.isEmpty else { return nil }
        return Dictionary(
            lists.map { ($0.path.split(separator: ".").last.map(String.init) ?? $0.path, $0.ids) }
        ) { first, _ in first }
    }
}

extension String {
    /// What a message shows of a value from a file.
    fileprivate var shortened: String { count > 80 ? prefix(80) + "..." : self }
}
