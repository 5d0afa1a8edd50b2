/// `(?i)`: which scalars Oniguruma takes for one when case does not count.
enum RegexCaseFolding {
    /// The set with all scalars that differ only in case from a member.
    ///
    /// - Throws: `RegexError` where a member also stands for a sequence of scalars, as `ß` does
    ///   for `ss`: that is not supported.
    static func closure(of set: ScalarSet) throws(RegexError) -> ScalarSet {
        if let scalar = multipleFolds.ranges.first(where: { !set.isDisjoint(from: $0) }) {
            throw RegexError(
                reason: "(?i) over a set with U+\(String(scalar.lowerBound, radix: 16)), which "
                    + "also matches a sequence of letters, is not supported")
        }
        var classes: [UInt32: [UInt32]] = [:]
        for (scalar, folded) in folds { classes[folded, default: [folded]].append(scalar) }
        var members: [ScalarSet] = [set]
        for (_, scalars) in classes
        where scalars.contains(where: { set.contains(value: $0) }) {
            members += scalars.map { ScalarSet($0...$0) }
        }
        return ScalarSet(union: members)
    }

    /// Refuses letters that together match a single scalar, such as `ss`.
    static func check(literals: [UInt32]) throws(RegexError) {
        let folded = literals.map(folded)
        for sequence in RegexTables.foldSequences.split(separator: 0) {
            let wanted = sequence.map(folded(_:))
            guard folded.count >= wanted.count else { continue }
            for start in 0...(folded.count - wanted.count)
            where folded[start..<start + wanted.count].elementsEqual(wanted) {
                let text = String(scalars: sequence.compactMap(Unicode.Scalar.init))
                throw RegexError(
                    reason: "(?i) over '\(text)', which also matches a single letter, is not "
                        + "supported")
            }
        }
    }

    private static let multipleFolds = ScalarSet(boundaries: RegexTables.multipleFolds)

    private static func folded(_ scalar: UInt32) -> UInt32 { foldOf[scalar] ?? scalar }

    private static let foldOf = Dictionary(uniqueKeysWithValues: folds)

    /// Each scalar that folds to another, and that other.
    private static let folds: [(UInt32, UInt32)] = {
        let runs = RegexTables.foldRuns
        return stride(from: 0, to: runs.count, by: 4).flatMap { index in
            stride(from: runs[index], through: runs[index + 1], by: Int(runs[index + 2]))
                .map { (UInt32(bitPattern: $0), UInt32(bitPattern: $0 + runs[index + 3])) }
        }
    }()
}
