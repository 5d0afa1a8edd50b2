/// What a template may use up, so that a hostile one ends with an error.
final class Budget {
    private var steps = 0
    private var depth = 0

    /// Beyond what any conversation that a model can read takes.
    private static let maximumSteps = 5_000_000
    private static let maximumDepth = 400
    static let maximumText = 1 << 26

    /// Steps that are left.
    var stepsLeft: Int { max(0, Self.maximumSteps - steps) }

    /// Counts the evaluation of an expression, or work in proportion to `amount`.
    func spend(_ amount: Int = 1) throws(Fault) {
        steps += amount
        guard steps <= Self.maximumSteps else {
            throw .limit("the template takes more than \(Self.maximumSteps) steps")
        }
    }

    /// Counts the making of a text of so many bytes.
    func spend(bytes: Int) throws(Fault) {
        guard bytes <= Self.maximumText else {
            throw .limit("the template makes a text of more than \(Self.maximumText >> 20) MiB")
        }
        try spend(bytes / 16)
    }

    func enter() throws(Fault) {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw .limit("the template nests, or calls itself, more than \(Self.maximumDepth) deep")
        }
    }

    func leave() { depth -= 1 }
}
