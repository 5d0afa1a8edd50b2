/// Runs a program over a text, backtracking with a stack of its own.
///
/// A program has neither captures nor counters, so whether a place in it leads on from a position
/// never changes. Once an attempt has gone back often, the matcher writes down which pairs of
/// both failed and does not try them again: no pattern takes exponential time, and one character
/// repeated a million times does no harm. What is left to take long, a search that starts anew at
/// every place, ends when the steps are used up that a text of this length grants.
struct RegexMatcher {
    /// Where to go on when the present way fails.
    private struct Retry {
        enum Kind { case plain, shrinking, growing, branches }

        var kind: Kind
        var instruction: Int
        var position: Int
        /// How far a greedy repetition may shrink or a lazy one grow, or the branches left.
        var limit: Int

        var isRepetition: Bool { kind == .shrinking || kind == .growing }
    }

    private let text: UnsafeBufferPointer<Unicode.Scalar>
    private let instructions: UnsafeBufferPointer<RegexProgram.Instruction>
    private let bitmaps: UnsafeBufferPointer<UInt64>
    private let program: RegexProgram
    private var stack: [Retry] = []
    /// The stretch of the text that is searched; it is a text of its own.
    private var lower = 0
    private var upper = 0
    private var failures = RegexFailures()
    private var stepsLeft: Int

    /// Whether the steps are used up, so that not all matches were found.
    var isSpent: Bool { stepsLeft < 0 }

    /// About half a second for a short text; the patterns of known tokenizers take some ten steps a
    /// character.
    static func steps(forLength length: Int) -> Int { 50_000_000 + 2_000 * length }

    init(
        _ program: RegexProgram, _ text: UnsafeBufferPointer<Unicode.Scalar>,
        _ instructions: UnsafeBufferPointer<RegexProgram.Instruction>,
        _ bitmaps: UnsafeBufferPointer<UInt64>, steps: Int
    ) {
        (self.program, self.text) = (program, text)
        (self.instructions, self.bitmaps) = (instructions, bitmaps)
        stepsLeft = steps
    }

    /// Finds all matches in a stretch, as the `find_iter` of Rust's `onig`: they do not overlap,
    /// and an empty one does not touch the end of the match before.
    mutating func forEachMatch(in range: Range<Int>, _ body: (Range<Int>) -> Void) {
        (lower, upper) = (range.lowerBound, range.upperBound)
        var start = lower
        var lastEnd = -1
        while start <= upper, let match = firstMatch(from: start) {
            if match.isEmpty, match.lowerBound == lastEnd {
                start += 1
                continue
            }
            body(match)
            start = match.upperBound
            lastEnd = start
        }
    }

    private mutating func firstMatch(from first: Int) -> Range<Int>? {
        failures.reset(textLength: upper - lower)
        for start in first...upper {
            if isSpent { return nil }
            let kind =
                start < upper
                ? RegexBeginnings.kind(of: text[start].value) : RegexBeginnings.kinds - 1
            guard program.beginnings.contains(kind: kind) else { continue }
            if let end = run(from: 0, at: start, target: nil) { return start..<end }
        }
        return nil
    }

    @inline(__always)
    private func contains(_ set: Int, _ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        guard value < 0x10000 else { return program.sets[set].contains(scalar) }
        let word = bitmaps[set &* RegexProgram.bitmapWords &+ Int(value >> 6)]
        return word >> UInt64(value & 63) & 1 == 1
    }

    /// Follows instructions until one accepts, at `target` if one is given; the position there.
    private mutating func run(from first: Int, at start: Int, target: Int?) -> Int? {
        let base = stack.count
        defer { stack.removeSubrange(base...) }
        var instruction = first
        var position = start
        while true {
            var succeeds = true
            stepsLeft &-= 1
            switch instructions[instruction] {
            case .scalar(let value):
                succeeds = position < upper && text[position].value == value
                position += 1
                instruction += 1
            case .set(let set):
                succeeds = position < upper && contains(set, text[position])
                position += 1
                instruction += 1
            case .repeatSet(let set, let least, let most, let greed):
                succeeds = repeatSet(set, least, most, greed, &instruction, &position)
            case .split(let next, let other):
                succeeds = failures.isOpen(instruction, position - lower, program)
                stack.append(Retry(kind: .plain, instruction: other, position: position, limit: 0))
                instruction = next
            case .dispatch(let number):
                succeeds =
                    failures.isOpen(instruction, position - lower, program)
                    && dispatch(number, &instruction, position)
            case .jump(let next): instruction = next
            case .look(let isAhead, let isNegated, let least, let most, let end):
                let matches = look(isAhead, least, most, instruction + 1, position)
                succeeds = matches != isNegated
                instruction = end
            case .atomic(let end):
                let reached = run(from: instruction + 1, at: position, target: nil)
                succeeds = reached != nil
                position = reached ?? position
                instruction = end
            case .anchor(let anchor):
                succeeds = holds(anchor, at: position)
                instruction += 1
            case .accept:
                if target == nil || target == position { return position }
                succeeds = false
            }
            if !succeeds, !retry(above: base, &instruction, &position) {
                return nil
            }
        }
    }

    /// Repeats a set as often as its greed wants, and notes how else it could be repeated.
    @inline(__always)
    private mutating func repeatSet(
        _ set: Int, _ least: Int, _ most: Int, _ greed: RegexGreed, _ instruction: inout Int,
        _ position: inout Int
    ) -> Bool {
        let available = upper - position
        guard available >= least else { return false }
        let farthest = most < available ? position + most : upper
        let wanted = greed == .lazy ? position + least : farthest
        var end = position
        while end < wanted, contains(set, text[end]) { end += 1 }
        stepsLeft &-= end &- position
        let nearest = position + least
        guard end >= nearest else { return false }
        if greed == .greedy, end > nearest {
            stack.append(
                Retry(
                    kind: .shrinking, instruction: instruction + 1, position: end, limit: nearest))
        } else if greed == .lazy, farthest > nearest {
            stack.append(
                Retry(kind: .growing, instruction: instruction, position: end, limit: farthest))
        }
        position = end
        instruction += 1
        return true
    }

    @inline(__always)
    private mutating func dispatch(
        _ number: Int, _ instruction: inout Int, _ position: Int
    ) -> Bool {
        let kind =
            position < upper
            ? RegexBeginnings.kind(of: text[position].value) : RegexBeginnings.kinds - 1
        let mask = program.dispatchMasks[number * RegexBeginnings.kinds + kind]
        guard mask != 0 else { return false }
        let remaining = mask & (mask &- 1)
        if remaining != 0 {
            stack.append(
                Retry(
                    kind: .branches, instruction: number, position: position,
                    limit: Int(bitPattern: UInt(remaining))))
        }
        instruction = program.dispatchTargets[number][mask.trailingZeroBitCount]
        return true
    }

    /// Takes up the latest way that is left and has not failed before.
    private mutating func retry(
        above base: Int, _ instruction: inout Int, _ position: inout Int
    ) -> Bool {
        while stack.count > base, !isSpent {
            stepsLeft &-= 1
            let isRepetition = stack[stack.count - 1].isRepetition
            guard takeRetry(&instruction, &position) else { continue }
            if !isRepetition
                || failures.isOpen(afterRepetition: instruction, position - lower, program)
            {
                return true
            }
        }
        return false
    }

    /// Takes the latest entry, or the next of the ways that it stands for; false when there is none.
    private mutating func takeRetry(_ instruction: inout Int, _ position: inout Int) -> Bool {
        let last = stack.count - 1
        let entry = stack[last]
        (instruction, position) = (entry.instruction, entry.position)
        switch entry.kind {
        case .plain: stack.removeLast()
        case .shrinking:
            position -= 1
            if position > entry.limit {
                stack[last].position = position
            } else {
                stack.removeLast()
            }
        case .growing: return grow(entry, &instruction, &position)
        case .branches:
            let mask = UInt64(UInt(bitPattern: entry.limit))
            let remaining = mask & (mask &- 1)
            instruction =
                program.dispatchTargets[entry.instruction][mask.trailingZeroBitCount]
            if remaining == 0 {
                stack.removeLast()
            } else {
                stack[last].limit = Int(bitPattern: UInt(remaining))
            }
        }
        return true
    }

    /// Lets a lazy repetition take one scalar more, if it can.
    private mutating func grow(
        _ entry: Retry, _ instruction: inout Int, _ position: inout Int
    ) -> Bool {
        let last = stack.count - 1
        guard case .repeatSet(let set, _, _, _) = instructions[entry.instruction],
            position < entry.limit, contains(set, text[position])
        else {
            stack.removeLast()
            return false
        }
        position += 1
        instruction = entry.instruction + 1
        if position < entry.limit {
            stack[last].position = position
        } else {
            stack.removeLast()
        }
        return true
    }

    private mutating func look(
        _ isAhead: Bool, _ least: Int, _ most: Int, _ body: Int, _ position: Int
    ) -> Bool {
        let outer = failures
        failures = RegexFailures()
        failures.reset(textLength: upper - lower)
        defer { failures = outer }
        if isAhead { return run(from: body, at: position, target: nil) != nil }
        let farthest = min(most, position - lower)
        guard least <= farthest else { return false }
        // What leads to the end of the look-behind does so from wherever it began.
        return (least...farthest).contains { length in
            !isSpent && run(from: body, at: position - length, target: position) != nil
        }
    }

    private func holds(_ anchor: RegexAnchor, at position: Int) -> Bool {
        func isLineFeed(_ index: Int) -> Bool { text[index].value == 0xA }
        switch anchor {
        case .lineStart:
            return position == lower || (position < upper && isLineFeed(position - 1))
        case .lineEnd: return position == upper || isLineFeed(position)
        case .textStart: return position == lower
        case .textEnd: return position == upper
        case .lastLineEnd:
            return position == upper || (position == upper - 1 && isLineFeed(position))
        case .wordBoundary, .notWordBoundary:
            let before = position > lower && RegexProperties.looseWord.contains(text[position - 1])
            let behind = position < upper && RegexProperties.looseWord.contains(text[position])
            return (before != behind) == (anchor == .wordBoundary)
        }
    }
}
