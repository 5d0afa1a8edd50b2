/// One direction of a plot: the range of values it shows, and its ticks.
struct Axis: Sendable {
    let range: ClosedRange<Double>
    let ticks: [Double]
    let labels: [String]

    /// - Parameter margin: the part of the range left free at either end.
    init(showing values: [Double], margin: Double, tickCount: Int) {
        range = Self.range(of: values, margin: margin)
        ticks = Ticks.linear(range, count: tickCount)
        labels = Ticks.labels(ticks)
    }

    /// Whether a value has a place on the axis. Extremes have none, so that a range's width is finite.
    static func shows(_ value: Double) -> Bool { abs(value) < 1e300 }

    /// From 0 at the low end of the range to 1 at the high one.
    func position(_ value: Double) -> Double {
        (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    private static func range(of values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        let magnitude = max(abs(low), abs(high))
        guard high - low > magnitude * 1e-12 else {
            let half = magnitude > 0 ? magnitude * 0.1 : 1
            return (low - half)...(high + half)
        }
        let free = (high - low) * margin
        // A quantity that is never negative, such as a loss, gets no room below zero.
        return (low >= 0 ? max(0, low - free) : low - free)...(high + free)
    }
}
