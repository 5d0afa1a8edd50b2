import Foundation

/// One direction of a plot: the range of values it shows, and its ticks.
struct Axis: Sendable {
    let range: ClosedRange<Double>
    let isLogarithmic: Bool
    let ticks: [Double]
    let labels: [String]

    /// - Parameter margin: the part of the range left free at either end.
    init(showing values: [Double], margin: Double, tickCount: Int, isLogarithmic: Bool = false) {
        self.isLogarithmic = isLogarithmic
        range =
            isLogarithmic
            ? Self.logarithmicRange(values, margin: margin)
            : Self.linearRange(values, margin: margin)
        ticks =
            isLogarithmic
            ? Ticks.logarithmic(range, count: tickCount) : Ticks.linear(range, count: tickCount)
        labels = isLogarithmic ? Ticks.logarithmicLabels(ticks) : Ticks.labels(ticks)
    }

    /// Whether a value has a place on the axis. Extremes have none, so that a range's width and
    /// the ratio of its ends are finite.
    static func shows(_ value: Double, isLogarithmic: Bool = false) -> Bool {
        isLogarithmic ? (1e-100...1e100).contains(value) : abs(value) < 1e300
    }

    /// From 0 at the low end of the range to 1 at the high one.
    func position(_ value: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard isLogarithmic else { return (value - low) / (high - low) }
        return log(value / low) / log(high / low)
    }

    private static func linearRange(_ values: [Double], margin: Double) -> ClosedRange<Double> {
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

    private static func logarithmicRange(_ values: [Double], margin: Double) -> ClosedRange<Double>
    {
        guard let low = values.min(), let high = values.max() else { return 0.1...10 }
        guard high / low > 1 + 1e-12 else { return (low / 2)...(high * 2) }
        let free = pow(high / low, margin)
        return (low / free)...(high * free)
    }
}
