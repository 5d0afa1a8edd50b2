/// The second stage: splits a normalized text into the words that the model sees.
protocol PreTokenizer: Sendable {
    /// Cuts each word by itself.
    func split(_ words: inout Words)
}

/// Splits by one pre-tokenizer after the other: `pre_tokenizers.Sequence` of `tokenizers`.
struct PreTokenizerSequence: PreTokenizer {
    let preTokenizers: [any PreTokenizer]

    func split(_ words: inout Words) {
        for preTokenizer in preTokenizers { preTokenizer.split(&words) }
    }
}

/// `BertPreTokenizer` of `tokenizers`: white space separates, punctuation stands alone.
struct BertPreTokenizer: PreTokenizer {
    func split(_ words: inout Words) {
        words.splitByClass { scalar in
            if scalar.isRustWhitespace { return .separator }
            return scalar.isBertPunctuation ? .alone : .word
        }
    }
}

/// `WhitespaceSplit` of `tokenizers`: white space separates, and nothing else does.
struct WhitespaceSplit: PreTokenizer {
    func split(_ words: inout Words) {
        words.splitByClass { $0.isRustWhitespace ? .separator : .word }
    }
}

/// `Whitespace` of `tokenizers`: the matches of `\w+|[^\w\s]+`.
struct Whitespace: PreTokenizer {
    func split(_ words: inout Words) {
        words.splitByClass { scalar in
            if scalar.isRustWhitespace { return .separator }
            return scalar.isRegexWord ? .word : .symbol
        }
    }
}

/// How a scalar behaves at a word boundary.
private enum BoundaryClass { case word, symbol, alone, separator }

extension Words {
    /// Cuts wherever the class changes, and around every scalar that stands alone.
    @inline(__always)
    fileprivate mutating func splitByClass(_ classify: (Unicode.Scalar) -> BoundaryClass) {
        split { text, word, parts in
            var start = word.lowerBound
            var previous = BoundaryClass.separator
            for index in word {
                let current = classify(text[index])
                if current != previous || current == .alone {
                    if previous != .separator { parts.append(start..<index) }
                    start = index
                    previous = current
                }
            }
            if previous != .separator { parts.append(start..<word.upperBound) }
        }
    }
}
