/// The spellings of the tokens that have a part to play in batches and in generation.
struct TokenRoles {
    var padding: String?
    var beginningOfText: String?
    var endOfText: String?
}
