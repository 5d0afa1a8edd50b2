/// The second stage: splits a normalized text into the words that the model sees.
protocol PreTokenizer: Sendable {
    /// Returns no empty word.
    func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>]
}

/// Splits by one pre-tokenizer after the other: `pre_tokenizers.Sequence` of `tokenizers`.
struct PreTokenizerSequence: PreTokenizer {
    let preTokenizers: [any PreTokenizer]

    func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        preTokenizers.reduce([text]) { words, next in words.flatMap(next.split) }
    }
}

/// `BertPreTokenizer` of `tokenizers`: white space separates, punctuation stands alone.
struct BertPreTokenizer: PreTokenizer {
    func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        splitByClass(text) { scalar in
            if scalar.isRustWhitespace { return .separator }
            return scalar.isBertPunctuation ? .alone : .word
        }
    }
}

/// `WhitespaceSplit` of `tokenizers`: white space separates, and nothing else does.
struct WhitespaceSplit: PreTokenizer {
    func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        splitByClass(text) { $0.isRustWhitespace ? .separator : .word }
    }
}

/// `Whitespace` of `tokenizers`: the matches of `\w+|[^\w\s]+`.
struct Whitespace: PreTokenizer {
    func split(_ text: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        splitByClass(text) { scalar in
            if scalar.isRustWhitespace { return .separator }
            return scalar.isRegexWord ? .word : .symbol
        }
    }
}

/// How a scalar behaves at a word boundary.
private enum BoundaryClass { case word, symbol, alone, separator }

/// Cuts wherever the class changes, and around every scalar that stands alone.
@inline(__always)
private func splitByClass(
    _ text: ArraySlice<Unicode.Scalar>, _ classify: (Unicode.Scalar) -> BoundaryClass
) -> [ArraySlice<Unicode.Scalar>] {
    var words: [ArraySlice<Unicode.Scalar>] = []
    var start = text.startIndex
    var previous = BoundaryClass.separator
    for index in text.indices {
        let current = classify(text[index])
        if current != previous || current == .alone {
            if previous != .separator { words.append(text[start..<index]) }
            start = index
            previous = current
        }
    }
    if previous != .separator { words.append(text[start...]) }
    return words
}
