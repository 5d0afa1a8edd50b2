import Foundation

/// What a repository is needed for, which decides what files of it are.
public enum RepositoryKind: String, CaseIterable, Sendable {
    /// A model and its tokenizer.
    case model
    /// A model's configuration and its tokenizer, without weights.
    case configuration
    /// A tokenizer alone.
    case tokenizer
    /// An adapter in PEFT's layout.
    case adapter

    /// What makes a tokenizer: any of these. `vocab.json` needs `merges.txt`.
    private static let vocabularies = [
        "tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spm.model",
        "spiece.model", "sentencepiece.bpe.model",
    ]
    private static let templates = [
        "tokenizer_config.json", "chat_template.jinja", "chat_template.json",
    ]
    private static let lists = ["special_tokens_map.json", "added_tokens.json"]
    private static let generation = "generation_config.json"
    private static let weights = "model.safetensors"
    private static let index = "model.safetensors.index.json"
    private static let pickles = [
        "pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_model.bin",
    ]

    /// Files that are taken along where the repository has them, what decides last.
    var companions: [String] {
        switch self {
        case .model, .configuration:
            [Self.generation] + RepositoryKind.tokenizer.companions
        case .tokenizer:
            Self.templates + Self.lists + ["config.json", "merges.txt"] + Self.vocabularies
        // One that was trained with tokens of its own has a tokenizer.
        case .adapter:
            Self.templates + Self.lists + ["merges.txt"] + Self.vocabularies
                + ["adapter_config.json"]
        }
    }

    /// The files without which nothing can be done, but for the weights' shards.
    private var essential: [String] {
        switch self {
        case .model, .configuration: ["config.json"]
        case .tokenizer: []
        case .adapter: ["adapter_config.json", "adapter_model.safetensors"]
        }
    }

    /// The first file that a snapshot must have and does not; nil when it can be used.
    func lack(in snapshot: CachedSnapshot) -> String? {
        if let name = essential.first(where: { !snapshot.has($0) }) { return name }
        switch self {
        case .adapter: return nil
        case .tokenizer, .configuration:
            return Self.hasTokenizer(snapshot) ? nil : Self.vocabularies[0]
        case .model: return Self.missingWeights(in: snapshot)
        }
    }

    /// Whether a snapshot has all that the hub could give: then nobody needs to ask it.
    func isComplete(in snapshot: CachedSnapshot) -> Bool {
        guard lack(in: snapshot) == nil else { return false }
        if let listing = snapshot.listing {
            return companions.allSatisfy { !listing.contains($0) || snapshot.has($0) }
        }
        switch self {
        case .model:
            return Self.hasTokenizer(snapshot)
                || Self.vocabularies.allSatisfy(snapshot.isKnownToLack)
        // Who asked for the tokenizer alone has not asked for this.
        case .configuration:
            return snapshot.has(Self.generation) || snapshot.isKnownToLack(Self.generation)
        case .tokenizer, .adapter: return true
        }
    }

    private static func hasTokenizer(_ snapshot: CachedSnapshot) -> Bool {
        vocabularies.contains { name in
            snapshot.has(name) && (name != "vocab.json" || snapshot.has("merges.txt"))
        }
    }

    private static func missingWeights(in snapshot: CachedSnapshot) -> String? {
        if snapshot.has(weights) { return nil }
        guard snapshot.has(index) else { return weights }
        // An index that cannot be read is for whoever loads the model to refuse.
        let shards = try? self.shards(of: snapshot, repository: "")
        return shards?.first { !snapshot.has($0) }
    }

    /// Files to fetch at first: small ones, and the index of the weights where there is one.
    ///
    /// - Throws: ``HubError`` for a repository that is of another kind or has no weights to read.
    func files(of listing: HubListing) throws -> [String] {
        let has = { listing.files.contains($0) }
        if let missing = essential.first(where: { !has($0) }) {
            throw Self.refusal(missing, listing)
        }
        switch self {
        case .model:
            guard has(Self.weights) || has(Self.index) else {
                throw Self.refusal(Self.weights, listing)
            }
            return (has(Self.weights) ? [] : [Self.index]) + companions.filter(has)
        case .tokenizer, .configuration:
            guard Self.vocabularies.contains(where: has) else {
                throw HubError.lacks(
                    listing.repository, what: "tokenizer",
                    hint: "it needs one of " + Self.vocabularies.joined(separator: ", "))
            }
            return companions.filter(has)
        case .adapter: return companions.filter(has)
        }
    }

    private static func refusal(_ missing: String, _ listing: HubListing) -> HubError {
        let has = { listing.files.contains($0) }
        if missing.hasSuffix(".safetensors"), let pickle = pickles.first(where: has) {
            return .pickled(listing.repository, file: pickle)
        }
        let hint =
            switch missing {
            case "config.json" where has("adapter_config.json"):
                "it is an adapter: name it with `adapter`, and its base with `model`"
            case "adapter_config.json" where has("config.json"):
                "it is a model: name it with `model`"
            default: ""
            }
        return .lacks(listing.repository, what: missing, hint: hint)
    }

    /// Files to fetch after those: the weights.
    /// - Throws: ``HubError`` for an index that names what cannot be a shard.
    func weightFiles(of listing: HubListing, _ snapshot: CachedSnapshot) throws -> [String] {
        switch self {
        case .tokenizer, .configuration: return []
        case .adapter: return ["adapter_model.safetensors"]
        case .model:
            if listing.files.contains(Self.weights) { return [Self.weights] }
            let shards = try Self.shards(of: snapshot, repository: listing.repository)
            if let missing = shards.first(where: { !listing.files.contains($0) }) {
                throw HubError.badFile(
                    listing.repository, file: Self.index,
                    reason: "names \(missing), which the repository does not have")
            }
            return shards
        }
    }

    private static func shards(
        of snapshot: CachedSnapshot, repository: String
    ) throws -> [String] {
        struct Index: Decodable { let weight_map: [String: String] }
        guard let data = FileManager.default.contents(atPath: snapshot.file(index).path),
            let map = try? JSONDecoder().decode(Index.self, from: data).weight_map, !map.isEmpty
        else {
            throw HubError.badFile(
                repository, file: index, reason: "has no weight_map of tensors and files")
        }
        let shards = Set(map.values).sorted()
        if let strange = shards.first(where: {
            !$0.isPlainFileName || !$0.hasSuffix(".safetensors")
        }) {
            throw HubError.badFile(
                repository, file: index,
                reason:
                    "names '\(strange.printable)', which is no safetensors file of the same folder")
        }
        return shards
    }

    /// Every name that the hub is asked about.
    var askedNames: [String] {
        companions + (self == .model ? [Self.weights, Self.index] : [])
    }
}

extension String {
    /// With control characters spelled out: names that come from elsewhere stay on one line.
    var printable: String {
        unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }.joined()
    }
}
