/// A setting that a recipe may have: it stands for the flag of the same name.
package struct RecipeKey: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
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
    package enum Words: Equatable, Sendable {
        /// The next word, unless it begins with a dash.
        case next
        /// The next word, whatever it is.
        case any
        /// All words up to one that begins with a dash.
        case upToDash
    }

    /// As the flag has it, without its dashes: `learning-rate`.
    package let name: String
    package let kind: Kind
    package let words: Words
    /// The section of a recipe that is written, in which it stands; nil for the top.
    package let section: String?
    /// What holds where nothing is said, as text; nil where that depends on something else.
    package let standard: String?

    package init(
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
    package static func spelling(_ name: String) -> String {
        String(name.map { $0 == "_" ? "-" : $0 })
    }
}
