import DualNames

/// Everything that a recipe may say.
package struct RecipeKeys: Sendable {
    package let all: [RecipeKey]
    private let indices: [String: Int]
    /// Names under which a recipe may group settings, for reading: those of the keys' sections, and of
    /// keys that may head one.
    package let sections: Set<String>
    /// Names of keys that may stand in a section of their own name, as its `name` or `path`.
    let heads: Set<String>
    static let headNames: Set<String> = ["name", "path"]

    /// - Parameters:
    ///   - all: of one name, the first counts.
    ///   - heads: keys that may head a section: `method: {name: lora, rank: 8}`.
    package init(_ all: [RecipeKey], heads: Set<String> = []) {
        self.all = all
        self.heads = heads
        indices = Dictionary(
            all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        sections = Set(all.compactMap(\.section)).union(heads)
    }

    package subscript(name: String) -> RecipeKey? { indices[name].map { all[$0] } }

    /// The known name that someone may have meant.
    package func suggestion(for name: String) -> String? {
        NearestName.of(name, among: all.map(\.name) + sections.sorted())
    }
}
