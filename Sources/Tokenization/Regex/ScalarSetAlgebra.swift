extension ScalarSet {
    static let all = ScalarSet(boundaries: [0])
    /// All but the line feed, which `.` does not match.
    static let notLineFeed = ScalarSet(boundaries: [0, 0xA, 0xB])

    init(_ scalar: Unicode.Scalar) {
        self.init(scalar.value...scalar.value)
    }

    init(_ range: ClosedRange<UInt32>) {
        self.init(boundaries: [range.lowerBound, range.upperBound + 1])
    }

    /// The members of several sets.
    init(union sets: [ScalarSet]) {
        var edges: [(value: UInt32, change: Int)] = []
        for set in sets {
            for (index, value) in set.boundaries.enumerated() {
                edges.append((value, index & 1 == 0 ? 1 : -1))
            }
        }
        edges.sort { $0.value < $1.value }
        var boundaries: [UInt32] = []
        var depth = 0
        var index = 0
        while index < edges.count {
            let value = edges[index].value
            let before = depth
            while index < edges.count, edges[index].value == value {
                depth += edges[index].change
                index += 1
            }
            if (before > 0) != (depth > 0) { boundaries.append(value) }
        }
        self.init(boundaries: boundaries)
    }

    var complement: ScalarSet {
        boundaries.first == 0
            ? ScalarSet(boundaries: Array(boundaries.dropFirst()))
            : ScalarSet(boundaries: [0] + boundaries)
    }

    func intersection(_ other: ScalarSet) -> ScalarSet {
        ScalarSet(union: [complement, other.complement]).complement
    }

    /// The only member, if there is just one.
    var onlyMember: UInt32? {
        boundaries.count == 2 && boundaries[1] == boundaries[0] + 1 ? boundaries[0] : nil
    }

    /// The stretches of members.
    var ranges: [ClosedRange<UInt32>] {
        stride(from: 0, to: boundaries.count, by: 2).map { index in
            let end = index + 1 < boundaries.count ? boundaries[index + 1] : 0x110000
            return boundaries[index]...(end - 1)
        }
    }
}
