import DualJSON

/// The tensors of a checkpoint that a model does not use.
struct UnusedTensors {
    /// Names that nothing explains.
    var strange: [String]
    /// Names of buffers, which are computed, and of heads of pretraining.
    let unneeded: [String]

    init(_ names: [String], _ architecture: ArchitectureNames) {
        strange = names.filter { !architecture.isUnneeded($0) }
        unneeded = names.filter(architecture.isUnneeded)
    }

    /// Kinds of tensors listed in a note.
    private static let mostListed = 8

    /// The names for a note: those that differ in a layer's number alone are named once, with their number.
    static func summary(of names: [String]) -> String {
        var kinds: [(pattern: String, names: [String])] = []
        var places: [String: Int] = [:]
        for name in names {
            let pattern = name.split(separator: ".", omittingEmptySubsequences: false)
                .map { $0.allSatisfy(\.isASCIIDigit) ? "*" : $0 }.joined(separator: ".")
            if let place = places[pattern] {
                kinds[place].names.append(name)
            } else {
                places[pattern] = kinds.count
                kinds.append((pattern, [name]))
            }
        }
        let listed = kinds.prefix(mostListed).map { kind in
            kind.names.count == 1
                ? kind.names[0].excerpt() : "\(kind.pattern.excerpt()) (\(kind.names.count))"
        }
        let more = kinds.dropFirst(mostListed).reduce(0) { $0 + $1.names.count }
        return listed.joined(separator: ", ") + (more > 0 ? ", and \(more) more" : "")
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
