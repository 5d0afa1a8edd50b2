/// A token that is found in the text before the model sees it, such as `[MASK]`.
struct AddedToken: Equatable, Sendable, Decodable {
    var content: String
    /// Found only where no word character touches it.
    var singleWord = false
    /// Swallows the white space before it.
    var stripsLeft = false
    /// Swallows the white space behind it.
    var stripsRight = false
    /// Searched for in normalized text, in its own normalized form.
    var normalized = false
    var special = true

    enum CodingKeys: String, CodingKey {
        case content, normalized, special
        case singleWord = "single_word"
        case stripsLeft = "lstrip"
        case stripsRight = "rstrip"
    }
}
