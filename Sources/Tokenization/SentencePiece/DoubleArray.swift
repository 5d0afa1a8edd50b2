/// A trie over bytes as `darts-clone` lays it out: one array of 32-bit units, in which the child of
/// a node for a byte stands at the node's base XOR the byte.
///
/// A unit holds the byte that leads to it in its low eight bits, whether an entry ends here in bit
/// 8, and above it the distance to its children's base. The value of an entry stands at the base.
struct DoubleArray: Equatable, Sendable {
    private let units: [UInt32]

    /// A place in the trie: the base of a node's children.
    struct Node: Equatable {
        fileprivate let base: Int
        /// Whether an entry ends here.
        let hasValue: Bool
    }

    /// - Throws: what `damage` makes of a sentence, when a unit points outside the array or its
    ///   value is not below `valueLimit`.
    init<Failure: Error>(
        units: [UInt32], valueLimit: Int, damage: (String) -> Failure
    ) throws(Failure) {
        self.units = units
        guard units.count.isMultiple(of: 256), let first = units.first else {
            throw damage("its trie has \(units.count) units, which are no blocks of 256")
        }
        for (index, unit) in units.enumerated() where unit >> 31 == 0 {
            let base = index ^ Self.offset(unit)
            guard base < units.count else {
                throw damage("unit \(index) of its trie points to unit \(base) of \(units.count)")
            }
            guard unit & 0x100 != 0 else { continue }
            guard units[base] >> 31 == 1, Int(units[base] & 0x7FFF_FFFF) < valueLimit else {
                throw damage(
                    "unit \(index) of its trie has no value within the \(valueLimit) bytes")
            }
        }
        root = Node(base: Self.offset(first), hasValue: false)
    }

    let root: Node

    @inline(__always)
    func child(of node: Node, _ byte: UInt8) -> Node? {
        let index = node.base ^ Int(byte)
        let unit = units[index]
        // A value's highest bit is set, so that it is nobody's child.
        guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
        return Node(base: index ^ Self.offset(unit), hasValue: unit & 0x100 != 0)
    }

    /// The values of all entries.
    var values: [Int] {
        units.indices.compactMap { index in
            let unit = units[index]
            guard unit >> 31 == 0, unit & 0x100 != 0 else { return nil }
            return Int(units[index ^ Self.offset(unit)] & 0x7FFF_FFFF)
        }
    }

    /// The value of a node that has one.
    func value(at node: Node) -> Int {
        Int(units[node.base] & 0x7FFF_FFFF)
    }

    @inline(__always)
    private static func offset(_ unit: UInt32) -> Int {
        Int((unit >> 10) << ((unit & 0x200) >> 6))
    }
}
