/// A parsed pattern.
indirect enum RegexNode: Equatable, Sendable {
    /// Matches nothing of the text.
    case empty
    /// One scalar of a set.
    case scalars(ScalarSet)
    case sequence([RegexNode])
    case alternation([RegexNode])
    case repetition(RegexNode, least: Int, most: Int?, RegexGreed)
    /// A group that, once matched, is not tried in another way: `(?>...)`.
    case atomic(RegexNode)
    case look(RegexNode, isAhead: Bool, isNegated: Bool)
    case anchor(RegexAnchor)
}

extension RegexNode {
    /// The least number of scalars that it matches.
    var leastLength: Int {
        switch self {
        case .empty, .look, .anchor: 0
        case .scalars: 1
        case .sequence(let nodes): nodes.reduce(0) { Self.sum($0, $1.leastLength) }
        case .alternation(let nodes): nodes.map(\.leastLength).min() ?? 0
        case .repetition(let node, let least, _, _): Self.product(node.leastLength, least)
        case .atomic(let node): node.leastLength
        }
    }

    /// The greatest number of scalars that it matches; nil where there is no limit.
    var greatestLength: Int? {
        switch self {
        case .empty, .look, .anchor: return 0
        case .scalars: return 1
        case .sequence(let nodes):
            return nodes.reduce(0) { sum, node in
                guard let sum, let length = node.greatestLength else { return nil }
                return Self.sum(sum, length)
            }
        case .alternation(let nodes):
            let lengths = nodes.compactMap(\.greatestLength)
            return lengths.count == nodes.count ? lengths.max() ?? 0 : nil
        case .repetition(let node, _, let most, _):
            if node.greatestLength == 0 { return 0 }
            guard let most, let length = node.greatestLength else { return nil }
            return Self.product(length, most)
        case .atomic(let node): return node.greatestLength
        }
    }

    private static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, overflows) = a.addingReportingOverflow(b)
        return overflows ? .max : sum
    }

    private static func product(_ a: Int, _ b: Int) -> Int {
        let (product, overflows) = a.multipliedReportingOverflow(by: b)
        return overflows ? .max : product
    }
}
