/// Which word of a text goes with which word of a reference.
///
/// Words match when they are equal, or when their stems are. Of all one-to-one matchings a beam
/// search along the reference looks for the one with the most equal words, then the fewest chunks
/// (runs that are contiguous in both), then the least distance.
///
/// Reference: METEOR 1.5, `Aligner`, with the matchers `exact` and `stem`, a beam of 40 and its
/// habits: a match of stems weighs nothing in the search, and the distance of a match counts for
/// what is tried after it, not for itself.
struct MeteorAlignment {
    /// A word of the text that a word of the reference may go with.
    struct Match {
        let textPlace: Int
        let isExact: Bool
    }

    /// For each word of the reference its match, if it has one.
    let matches: [Match?]

    /// Runs of matches that are contiguous in both.
    var chunks: Int {
        var (chunks, next) = (0, -1)
        for match in matches {
            if let match, match.textPlace != next { chunks += 1 }
            next = match.map { $0.textPlace + 1 } ?? -1
        }
        return chunks
    }

    init(_ text: [MeteorWord], to reference: [MeteorWord]) {
        let isSame = text.map(\.id) == reference.map(\.id)
        let candidates = reference.map { word in
            let exact = text.indices.filter { text[$0].id == word.id }
            // Of one sentence with itself only equal words matter.
            let stems =
                isSame
                ? []
                : text.indices.filter { text[$0].stem == word.stem && text[$0].id != word.id }
            return exact.map { Match(textPlace: $0, isExact: true) }
                + stems.map { Match(textPlace: $0, isExact: false) }
        }
        matches = MeteorSearch(candidates: candidates, textLength: text.count).best()
    }
}

/// The beam search for the best matching.
private struct MeteorSearch {
    typealias Match = MeteorAlignment.Match

    private static let beam = 40
    let candidates: [[Match]]
    let textLength: Int

    /// A matching of the reference's words so far.
    private struct Path {
        var matches: [Match?]
        var isUsed: [Bool]
        var exactMatches = 0
        var chunks = 0
        /// Where the last chunk goes on in the text; nil where none is open.
        var next: Int?
        var distance = 0

        mutating func take(_ match: Match) {
            if match.isExact { exactMatches += 1 }
            if let next, match.textPlace != next { chunks += 1 }
            next = match.textPlace + 1
        }

        mutating func closeChunk() {
            if next != nil { chunks += 1 }
            next = nil
        }

        func precedes(_ other: Path) -> Bool {
            if exactMatches != other.exactMatches { return exactMatches > other.exactMatches }
            if chunks != other.chunks { return chunks < other.chunks }
            return distance < other.distance
        }
    }

    func best() -> [Match?] {
        let fixed = fixedMatches()
        var paths = [start(fixed)]
        for index in candidates.indices {
            var next: [Path] = []
            for var path in ranked(paths).prefix(Self.beam) {
                if let match = fixed[index] {
                    path.take(match)
                    path.distance += abs(index - match.textPlace)
                    next.append(path)
                } else {
                    next += continuations(of: path, at: index)
                }
            }
            paths = next
        }
        var last = Array(ranked(paths).prefix(Self.beam))
        for index in last.indices { last[index].closeChunk() }
        return ranked(last)[0].matches
    }

    private func start(_ fixed: [Match?]) -> Path {
        var isUsed = [Bool](repeating: false, count: textLength)
        for match in fixed { if let match { isUsed[match.textPlace] = true } }
        return Path(matches: fixed, isUsed: isUsed)
    }

    /// Matches of words that have no other choice.
    private func fixedMatches() -> [Match?] {
        var takers = [Int](repeating: 0, count: textLength)
        for match in candidates.joined() { takers[match.textPlace] += 1 }
        return candidates.map { matches in
            matches.count == 1 && takers[matches[0].textPlace] == 1 ? matches[0] : nil
        }
    }

    /// A path with each word that is free, and without one.
    private func continuations(of path: Path, at index: Int) -> [Path] {
        var (path, result) = (path, [Path]())
        for match in candidates[index] where !path.isUsed[match.textPlace] {
            var taken = path
            taken.isUsed[match.textPlace] = true
            taken.matches[index] = match
            taken.take(match)
            path.distance += abs(index - match.textPlace)
            result.append(taken)
        }
        path.closeChunk()
        return result + [path]
    }

    /// The best first; of equal ones the earlier.
    private func ranked(_ paths: [Path]) -> [Path] {
        guard paths.count > 1 else { return paths }
        return paths.indices.sorted { a, b in
            if paths[a].precedes(paths[b]) { return true }
            return !paths[b].precedes(paths[a]) && a < b
        }.map { paths[$0] }
    }
}
