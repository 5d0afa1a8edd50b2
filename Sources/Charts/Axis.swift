import Foundation

/// One direction of a plot: the range of values it shows, and its ticks.
struct Axis: Sendable {
    let range: ClosedRange<Double>
    let ticks: [Double]
    let labels: [String]

    private let scale: LineChart.Scale

    /// - Parameters:
    ///   - values: that ``shows(_:on:)`` is true of.
    ///   - margin: the part of the range left free at either end.
    init(
        showing values: [Double], on scale: LineChart.Scale = .linear, counts: Bool = false,
        margin: Double, tickCount: Int
    ) {
        self.scale = scale
        switch scale {
        case .linear:
            range = Self.range(of: values + (counts ? [0] : []), margin: margin)
            ticks = Ticks.linear(range, count: tickCount, least: counts ? 1 : 0)
            labels = Ticks.labels(ticks)
        case .logarithmic:
            let exponents = Self.range(of: values.map { log($0) }, margin: margin)
            range = exp(exponents.lowerBound)...exp(exponents.upperBound)
            (ticks, labels) = Ticks.logarithmic(range, count: tickCount)
        }
    }

    /// Whether a value has a place on an axis. Extremes have none, so that a range's width is finite.
    static func shows(_ value: Double, on scale: LineChart.Scale = .linear) -> Bool {
        scale == .linear ? abs(value) < 1e300 : 1e-300 < value && value < 1e300
    }

    /// From 0 at the low end of the range to 1 at the high one.
    func position(_ value: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        return switch scale {
        case .linear: (value - low) / (high - low)
        case .logarithmic: log(value / low) / log(high / low)
        }
    }

    /// What is nearer to 0 is 0: a score of no match, for one, is some 10^-16 where its formula avoids
    /// the logarithm of 0.
    private static let dust = 1e-12

    private static func range(of values: [Double], margin: Double) -> ClosedRange<Double> {
        guard let low = values.min(), let high = values.max() else { return 0...1 }
        let magnitude = max(abs(low), abs(high))
        guard magnitude > dust else { return low < 0 ? -1...1 : 0...1 }
        guard high - low > magnitude * 1e-12 else {
            let half = magnitude * 0.1
            return (low - half)...(high + half)
        }
        let free = (high - low) * margin
        // A quantity that is never negative, such as a loss, gets no room below zero.
        return (low >= 0 ? max(0, low - free) : low - free)...(high + free)
    }
}
