/// The pairs of instruction and position where there was a choice, written down once there are
/// many. When one comes up again, all of its choices have failed: what follows a place does not
/// depend on the way to it, and no loop comes back to a place without going on in the text.
struct RegexFailures {
    /// Notes of a long program on a long text would take too much room; then steps alone count.
    private static let mostBits = 1 << 30

    private var budget = 0
    private var length = 0
    private var seen: [UInt64] = []

    mutating func reset(textLength: Int) {
        if !seen.isEmpty { seen = [] }
        length = textLength + 2
        budget = 1000 + textLength / 8
    }

    /// Whether an instruction that chooses has not been at a position yet; it has from now on.
    @inline(__always)
    mutating func isOpen(_ instruction: Int, _ position: Int, _ program: RegexProgram) -> Bool {
        if budget > 0 {
            budget -= 1
            return true
        }
        return note(instruction, position, program)
    }

    /// The same for the end of a repetition of a set, by the instruction that follows it.
    @inline(__always)
    mutating func isOpen(
        afterRepetition instruction: Int, _ position: Int, _ program: RegexProgram
    ) -> Bool {
        isOpen(program.instructions.count + instruction, position, program)
    }

    private mutating func note(
        _ number: Int, _ position: Int, _ program: RegexProgram
    ) -> Bool {
        if seen.isEmpty {
            guard length <= Self.mostBits / (2 * program.instructions.count) else { return true }
            seen = Array(repeating: 0, count: 2 * program.instructions.count * length / 64 + 1)
        }
        let index = number * length + position
        let bit: UInt64 = 1 << UInt64(index & 63)
        if seen[index >> 6] & bit != 0 { return false }
        seen[index >> 6] |= bit
        return true
    }
}
