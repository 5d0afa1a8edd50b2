/// A regular expression that knows every place at which a match may end.
///
/// A lexer takes the longest match among many rules, with what must follow counted in; keeping all
/// ends of a part lets the next part choose, without backtracking.
indirect enum LexicalPattern: Sendable {
    case one(ScalarClass)
    /// As many of a class as there are, and no fewer.
    case run(ScalarClass, least: Int)
    case listed(LexicalTree)
    case sequence([LexicalPattern])
    case choice([LexicalPattern])
    case repeated(LexicalPattern, Int, Int)

    /// Where matches that begin at `start` end, each place once.
    func ends(in text: [Unicode.Scalar], from start: Int) -> [Int] {
        switch self {
        case .one(let scalars):
            return start < text.count && scalars.contains(text[start]) ? [start + 1] : []
        case .run(let scalars, let least):
            var end = start
            while end < text.count, scalars.contains(text[end]) { end += 1 }
            return end - start < least ? [] : [end]
        case .listed(let tree): return tree.ends(in: text, from: start)
        case .sequence(let parts):
            var positions = parts[0].ends(in: text, from: start)
            for part in parts.dropFirst() where !positions.isEmpty {
                positions = Self.ends(of: part, in: text, from: positions)
            }
            return positions
        case .choice(let alternatives):
            var positions: [Int] = []
            for alternative in alternatives {
                let ends = alternative.ends(in: text, from: start)
                positions += positions.isEmpty ? ends : ends.filter { !positions.contains($0) }
            }
            return positions
        case .repeated(.one(let scalars), let least, let most):
            var end = start
            while end < text.count, end - start < most, scalars.contains(text[end]) { end += 1 }
            return end - start < least ? [] : Array(start + least...end)
        case .repeated(let part, let least, let most):
            return Self.repeatedEnds(of: part, least, most, in: text, from: start)
        }
    }

    private static func ends(
        of part: LexicalPattern, in text: [Unicode.Scalar], from starts: [Int]
    ) -> [Int] {
        if starts.count == 1 { return part.ends(in: text, from: starts[0]) }
        var positions: [Int] = []
        for start in starts {
            let ends = part.ends(in: text, from: start)
            positions += positions.isEmpty ? ends : ends.filter { !positions.contains($0) }
        }
        return positions
    }

    private static func repeatedEnds(
        of part: LexicalPattern, _ least: Int, _ most: Int, in text: [Unicode.Scalar],
        from start: Int
    ) -> [Int] {
        var reached = Set<Int>(least == 0 ? [start] : [])
        var front = [start]
        var count = 0
        while count < most, !front.isEmpty {
            count += 1
            front = ends(of: part, in: text, from: front)
            if count >= least {
                // A place that was reached before has nothing new behind it.
                front = front.filter { reached.insert($0).inserted }
            }
        }
        return Array(reached)
    }

    /// Which characters a match may begin with; nil where it may be empty.
    var firstScalars: ScalarClass? {
        switch self {
        case .one(let scalars): return scalars
        case .run(let scalars, let least): return least == 0 ? nil : scalars
        case .listed(let tree): return tree.firstScalars
        case .sequence(let parts):
            var first = ScalarClass()
            for part in parts {
                let (next, mayBeEmpty) = part.firstStep
                first = first + next
                if !mayBeEmpty { return first }
            }
            return nil
        case .choice(let alternatives):
            return alternatives.reduce(ScalarClass()) { first, alternative in
                guard let first, let next = alternative.firstScalars else { return nil }
                return first + next
            }
        case .repeated(let part, let least, _): return least == 0 ? nil : part.firstScalars
        }
    }

    /// What a match may begin with when it is not empty, and whether it may be.
    private var firstStep: (ScalarClass, Bool) {
        if let firstScalars { return (firstScalars, false) }
        switch self {
        case .repeated(let part, _, _): return (part.firstStep.0, true)
        case .run(let scalars, _): return (scalars, true)
        case .sequence(let parts), .choice(let parts):
            return (parts.reduce(ScalarClass()) { $0 + $1.firstStep.0 }, true)
        case .one, .listed: return (ScalarClass(), true)
        }
    }
}

extension LexicalPattern {
    /// A text, whatever its case.
    static func word(_ text: String) -> LexicalPattern { .listed(LexicalTree([text])) }

    /// One of several texts, separated by spaces, whatever their case.
    static func words(_ list: String) -> LexicalPattern {
        .listed(LexicalTree(list.split(separator: " ").map { String($0) }))
    }

    /// One of several texts whose first letter's case counts.
    static func names(_ list: String) -> LexicalPattern {
        .listed(
            LexicalTree(list.split(separator: " ").map { String($0) }, firstLetterCounts: true))
    }

    /// Some of a class, as many as there are. Nothing in the class may be needed behind it.
    static func run(_ scalars: ScalarClass) -> LexicalPattern { .run(scalars, least: 1) }

    /// As many of a class as there are, or none.
    static func anyRun(_ scalars: ScalarClass) -> LexicalPattern { .run(scalars, least: 0) }

    static func of(_ characters: String) -> LexicalPattern { .one(ScalarClass(characters)) }

    static func + (a: LexicalPattern, b: LexicalPattern) -> LexicalPattern {
        if case .sequence(let parts) = a { return .sequence(parts + [b]) }
        return .sequence([a, b])
    }

    static func | (a: LexicalPattern, b: LexicalPattern) -> LexicalPattern {
        if case .choice(let alternatives) = a { return .choice(alternatives + [b]) }
        return .choice([a, b])
    }

    var optional: LexicalPattern { .repeated(self, 0, 1) }
    var anyNumber: LexicalPattern { .repeated(self, 0, .max) }
    var some: LexicalPattern { .repeated(self, 1, .max) }
    func times(_ least: Int, _ most: Int? = nil) -> LexicalPattern {
        .repeated(self, least, most ?? least)
    }
}
