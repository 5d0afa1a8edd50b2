/// A setting that a recipe may have: it stands for the flag of the same name.
public struct RecipeKey: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// true or false.
        case flag
        /// One value.
        case value
        /// One value that has commas between its parts; a recipe may give the parts as a list.
        case parts
        /// Any number of values.
        case list
    }

    /// How a flag finds its values among the words of a command line.
    public enum Words: Equatable, Sendable {
        /// The next word, unless it begins with a dash.
        case next
        /// The next word, whatever it is.
        case any
        /// All words up to one that begins with a dash.
        case upToDash
    }

    /// As the flag has it, without its dashes: `learning-rate`.
    public let name: String
    public let kind: Kind
    public let words: Words
    /// The section of a recipe that is written, in which it stands; nil for the top.
    public let section: String?
    /// What holds where nothing is said, as text; nil where that depends on something else.
    public let standard: String?

    public init(
        _ name: String, _ kind: Kind = .value, words: Words = .next, section: String? = nil,
        standard: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.words = words
        self.section = section
        self.standard = standard
    }

    /// `learning_rate` and `learning-rate` are one name.
    public static func spelling(_ name: String) -> String {
        String(name.map { $0 == "_" ? "-" : $0 })
    }
}

/// Everything that a recipe may say.
public struct RecipeKeys: Sendable {
    public let all: [RecipeKey]
    private let places: [String: Int]
    /// Names under which a recipe may group settings, for reading: those of the keys' sections, and of
    /// keys that may head one.
    public let sections: Set<String>
    /// Names of keys that may stand in a section of their own name, as its `name` or `path`.
    let heads: Set<String>
    static let headNames: Set<String> = ["name", "path"]

    /// - Parameters:
    ///   - all: of one name, the first counts.
    ///   - heads: keys that may head a section: `method: {name: lora, rank: 8}`.
    public init(_ all: [RecipeKey], heads: Set<String> = []) {
        self.all = all
        self.heads = heads
        places = Dictionary(
            all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        sections = Set(all.compactMap(\.section)).union(heads)
    }

    public subscript(name: String) -> RecipeKey? { places[name].map { all[$0] } }

    /// The known name that someone may have meant.
    public func suggestion(for name: String) -> String? {
        NearestName.of(name, among: all.map(\.name) + sections.sorted())
    }
}
