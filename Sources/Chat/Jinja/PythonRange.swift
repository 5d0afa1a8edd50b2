/// Python's `range`.
struct PythonRange {
    let start, stop, step: Int

    /// The sandbox's limit.
    static let maximumCount = 100_000

    init(start: Int, stop: Int, step: Int) throws(Fault) {
        guard step != 0 else { throw .failed("range() arg 3 must not be zero") }
        (self.start, self.stop, self.step) = (start, stop, step)
        // Doubles are exact enough to see that a count is beyond the limit.
        let steps = (Double(stop) - Double(start)) / Double(step)
        guard steps <= Double(Self.maximumCount) else {
            throw .limit("the template asks for a range of more than \(Self.maximumCount) numbers")
        }
    }

    /// Python's `len`.
    var count: Int {
        let (lower, upper) = step > 0 ? (start, stop) : (stop, start)
        guard lower < upper else { return 0 }
        // The distance of far bounds does not fit an Int.
        let distance = UInt(bitPattern: upper &- lower)
        return Int((distance - 1) / step.magnitude) + 1
    }

    var values: [Value] { (0..<count).map(value) }

    /// The number at a place below ``count``, however large the product with the step.
    func value(at index: Int) -> Value { .integer(start &+ index &* step) }

    /// The same for ranges of the same numbers.
    var identity: [Int] {
        switch count {
        case 0: []
        case 1: [start]
        default: [start, step, count]
        }
    }
}
