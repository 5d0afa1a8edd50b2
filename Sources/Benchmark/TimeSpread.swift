import DualTraining

/// What repeated measurements of one thing came to, in milliseconds.
package struct TimeSpread: Equatable, Sendable {
    package let median: Double
    package let least: Double
    package let most: Double

    /// - Parameter times: milliseconds, of at least one measurement.
    package init(_ times: [Double]) {
        let sorted = times.sorted()
        let middle = sorted.count / 2
        median =
            sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        least = sorted[0]
        most = sorted[sorted.count - 1]
    }
}

extension ContinuousClock.Instant {
    /// Milliseconds from this instant to now.
    var millisecondsAgo: Double { secondsAgo * 1000 }
}

extension Double {
    var tenths: Double { (self * 10).rounded() / 10 }
    var hundredths: Double { (self * 100).rounded() / 100 }
    var thousandths: Double { (self * 1000).rounded() / 1000 }
}
