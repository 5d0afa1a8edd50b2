import Foundation
import Testing

@testable import DualCharts

@Suite struct TicksTests {
    static let ranges: [ClosedRange<Double>] = [
        0...1, 0...1500, -3.7...12.2, 0.31...0.347, 1e-7...9e-6, -1e9...4e9, 1e8...(1e8 + 3),
        0.9999...1.0001, -0.5...0.5, 3...3.3,
    ]

    @Test("Ticks are 1, 2 or 5 times a power of ten apart, inside the range", arguments: ranges)
    func stepsAreRound(_ range: ClosedRange<Double>) {
        let ticks = Ticks.linear(range, count: 6)
        #expect((3...13).contains(ticks.count))
        let span = range.upperBound - range.lowerBound
        let slack = 1e-6 * span
        #expect(ticks.allSatisfy { $0 > range.lowerBound - slack && $0 < range.upperBound + slack })
        let step = (ticks[ticks.count - 1] - ticks[0]) / Double(ticks.count - 1)
        let digits = step / pow(10, log10(step * 1.0001).rounded(.down))
        #expect([1.0, 2, 5].contains { abs(digits - $0) < 1e-6 })
        #expect(Set(Ticks.labels(ticks)).count == ticks.count)
    }

    @Test(
        "Labels have the decimals they need, and no more",
        arguments: [
            ([0, 0.5, 1], ["0", "0.5", "1.0"]), ([0, 500, 1000], ["0", "500", "1000"]),
            ([-2, 0, 2], ["-2", "0", "2"]), ([0.1, 0.2, 0.3], ["0.1", "0.2", "0.3"]),
            ([0, 20_000, 40_000], ["0", "20k", "40k"]),
            ([0, 500_000, 1_000_000], ["0", "0.5M", "1.0M"]),
            ([0, 2e-5, 4e-5], ["0", "2e-5", "4e-5"]),
            ([100_000_000, 100_000_000.5], ["100000000.0", "100000000.5"]),
            ([0], ["0"]), ([2e10, 4e10], ["2e10", "4e10"]), ([0.25, 0.26], ["0.25", "0.26"]),
        ] as [([Double], [String])])
    func labels(_ ticks: [Double], _ expected: [String]) {
        #expect(Ticks.labels(ticks) == expected)
    }

    @Test("A tick is the number its label says, without rounding noise")
    func ticksAreExact() {
        #expect(
            Ticks.linear(0...1, count: 10) == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
        #expect(Ticks.linear(-0.2...0.2, count: 4) == [-0.2, -0.1, 0, 0.1, 0.2])
    }

    @Test(
        "Ticks of a logarithmic axis are round, each labelled on its own",
        arguments: [
            (1.0...1000, ["1", "10", "100", "1000"]), (8.0...120, ["10", "20", "50", "100"]),
            (20.0...286, ["20", "50", "100", "200"]), (1.1...9.5, ["2", "5"]),
            (0.02...3, ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]),
            (1e-9...1e15, ["1e-8", "1e-4", "1", "10k", "100M"]),
            (10.0...11, ["10.0", "10.2", "10.4", "10.6", "10.8", "11.0"]),
        ] as [(ClosedRange<Double>, [String])])
    func logarithmicTicks(_ range: ClosedRange<Double>, _ some: [String]) {
        let (ticks, labels) = Ticks.logarithmic(range, count: 7)
        #expect(ticks.allSatisfy(range.contains))
        #expect((3...9).contains(ticks.count))
        #expect(ticks.count == labels.count && Set(labels).count == labels.count)
        #expect(labels.filter(some.contains) == some, "\(labels)")
    }
}
