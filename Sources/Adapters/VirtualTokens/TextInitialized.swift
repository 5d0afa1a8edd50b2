/// A method that may start from a text.
public protocol TextInitialized: AdapterMethod {
    /// The text; nil where it starts from something else.
    var initialText: String? { get }

    /// Takes the text's tokens, with the special ones that the tokenizer puts around them.
    /// - Parameter tokenizer: the tokenizer's folder or name.
    mutating func start(from tokens: [Int], tokenizer: String)
}
