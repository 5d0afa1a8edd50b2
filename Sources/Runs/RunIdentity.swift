/// What tells one run from another, for a checkpoint to be gone on from only by its own.
struct RunIdentity: Codable, Equatable {
    /// What is set, by the names of the command line's flags; what is not set is missing.
    var flags: [String: String] = [:]
    /// How much there is of what trains.
    var counts: [String: Int] = [:]
    /// Digests of what is read, by what that is.
    var digests: [String: String] = [:]

    static let templateDate = "template-date"
    /// Whether weight decay moves vectors of the adapter; earlier versions, which do not say so, left them.
    static let decayingVectors = "decaying-vectors"
    static let positions = "positions"
    static let computeType = "dtype"
    /// What the flags were in runs that say nothing of them.
    static let former = [computeType: "bfloat16"]

    init(flags: [String: String] = [:]) { self.flags = flags }

    /// What is set, or was meant where nothing is said.
    func flag(_ name: String) -> String? { flags[name] ?? Self.former[name] }

    /// What is not as another run has it, in a few words: "with --rank 8, not 3".
    /// - Parameter given: the run that is to go on from this one's checkpoint.
    func difference(to given: RunIdentity) -> String? {
        // Where the method is another, so are its options, and the scale goes with a rank.
        let names = Set(flags.keys).union(given.flags.keys)
        let decisive = ["task", "method"] + names.filter { $0.hasSuffix("rank") }.sorted()
        let others = names.subtracting(decisive).sorted()
        for name in decisive + others
        where flag(name) != given.flag(name) && !isSameLength(name, given) {
            guard let mine = flag(name) else {
                return "without `\(name)`, not with \(given.flags[name] ?? "it")"
            }
            return "with `\(name)` \(mine), not \(given.flags[name] ?? "without")"
        }
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            guard let other = given.counts[name], other != count else { continue }
            return "on \(count) \(name), not \(other)"
        }
        for name in digests.keys.sorted() where digests[name] != given.digests[name] {
            return "on another \(name)"
        }
        return nil
    }

    /// Whether a flag is a length of examples, and the model's positions make both runs' the same.
    private func isSameLength(_ name: String, _ given: RunIdentity) -> Bool {
        guard name == "max-length", let positions = given.counts[Self.positions],
            let mine = flags[name].flatMap({ Int($0) }),
            let others = given.flags[name].flatMap({ Int($0) })
        else { return false }
        return min(mine, positions) == min(others, positions)
    }
}
