extension RegexParser {
    /// Wraps an atom into the quantifiers behind it.
    mutating func parseQuantifiers(of atom: RegexNode) throws(RegexError) -> RegexNode {
        var node = atom
        var count = 0
        while let (least, most, isInterval) = try parseQuantifier() {
            count += 1
            guard count <= 20 else { throw RegexError(reason: "quantifiers pile up") }
            switch node {
            case .look, .anchor, .empty:
                throw RegexError(reason: "a quantifier has nothing to repeat")
            default: break
            }
            var greed = RegexGreed.greedy
            if isInterval, least == most, accept("?") {
                // In Ruby's syntax `x{2}?` is no lazy repetition but an optional one.
                node = try repetition(node, least, most, .greedy)
                node = try repetition(node, 0, 1, .greedy)
                continue
            }
            if accept("?") {
                greed = .lazy
            } else if !isInterval, accept("+") {
                greed = .possessive
            }
            node = try repetition(node, least, most, greed)
        }
        return node
    }

    private func repetition(
        _ node: RegexNode, _ least: Int, _ most: Int?, _ greed: RegexGreed
    ) throws(RegexError) -> RegexNode {
        guard most != nil || node.leastLength > 0 else {
            throw RegexError(
                reason: "a repetition without limit of what can match nothing is not supported")
        }
        return .repetition(node, least: least, most: most, greed)
    }

    /// The limits of the quantifier that comes next, if one does.
    private mutating func parseQuantifier() throws(RegexError) -> (Int, Int?, isInterval: Bool)? {
        if accept("?") { return (0, 1, false) }
        if accept("*") { return (0, nil, false) }
        if accept("+") { return (1, nil, false) }
        guard peek() == "{" else { return nil }
        let start = position
        position += 1
        let least = parseNumber()
        let hasComma = accept(",")
        let most = hasComma ? parseNumber() : least
        guard accept("}"), least != nil || most != nil else {
            position = start
            return nil
        }
        for number in [least, most].compactMap({ $0 }) where number > 100_000 {
            throw RegexError(reason: "it repeats more than 100000 times")
        }
        if let least, let most, least > most {
            throw RegexError(reason: "a repetition of \(least) to \(most) times is not supported")
        }
        return (least ?? 0, most, true)
    }

    /// A number in decimal digits; a greater one than any limit stands for all that are too great.
    private mutating func parseNumber() -> Int? {
        var value: Int?
        while let scalar = peek(), case 0x30...0x39 = scalar.value {
            value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            position += 1
        }
        return value
    }
}
