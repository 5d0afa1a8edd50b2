/// Tokens at the two ends of a sequence.
public struct EditedPositions: Equatable, Sendable, CustomStringConvertible {
    public let first: Int
    public let last: Int

    /// The first token and the last.
    public static let ends = EditedPositions(first: 1, last: 1)

    public init(first: Int, last: Int) {
        self.first = first
        self.last = last
    }

    /// The reference's spelling: f3+l2, f3, l2; nil for other texts.
    public init?(_ text: String) {
        var counts: [Character: Int] = [:]
        for word in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard let letter = word.first, "fl".contains(letter), counts[letter] == nil,
                let count = Int(word.dropFirst()), ranks ~= count
            else { return nil }
            counts[letter] = count
        }
        self.init(first: counts["f"] ?? 0, last: counts["l"] ?? 0)
    }

    public var description: String {
        [(first, "f"), (last, "l")].filter { $0.0 > 0 }.map { "\($1)\($0)" }
            .joined(separator: "+")
    }

    /// Which of a sequence's tokens are meant: from either end at most half of them, so that none
    /// is meant twice.
    func of(_ tokens: Range<Int>) -> [Int] {
        let most = tokens.count / 2
        return Array(tokens.prefix(min(first, most))) + Array(tokens.suffix(min(last, most)))
    }
}

extension ValueForm<EditedPositions> {
    static var editedPositions: ValueForm {
        let example = "like f1+l1, f3 or l2"
        return spelled(\.description, refusal: "not \(example)", expected: example) {
            EditedPositions($0)
        }
    }
}
