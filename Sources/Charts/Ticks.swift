import Foundation

/// Round values along an axis, and how they are written.
enum Ticks {
    /// Multiples of 1, 2 or 5 times a power of ten, as near to `count` of them as that allows.
    ///
    /// - Parameter least: how far apart they are at least.
    static func linear(
        _ range: ClosedRange<Double>, count: Int, least: Double = 0
    ) -> [Double] {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite, count > 0 else { return [range.lowerBound] }
        let rough = max(span / Double(count), least)
        let power = pow(10, log10(rough).rounded(.down))
        let factor = [1.0, 2, 5].first { $0 * power >= rough * 0.999 } ?? 10
        return multiples(of: factor, times: power, in: range)
    }

    /// Powers of ten with as many of their multiples as there is room for, each with its label; round
    /// values at equal distances where a range has too few of those.
    ///
    /// - Parameter range: above 0.
    static func logarithmic(
        _ range: ClosedRange<Double>, count: Int
    ) -> (ticks: [Double], labels: [String]) {
        let (low, high) = (log10(range.lowerBound), log10(range.upperBound))
        guard low.isFinite, high.isFinite, count > 0 else {
            return ([range.lowerBound], labels([range.lowerBound]))
        }
        let exponents = Int(low.rounded(.down))...Int(high.rounded(.up))
        // Of a range of many powers, each second, third, ...
        let stride = max(1, (exponents.count + count - 1) / count)
        let powers = exponents.filter { $0 % stride == 0 }
        let digits: [[Double]] = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]]
        let choices = digits.map { digits in
            powers.flatMap { power in digits.map { decimal($0, power) } }.filter(range.contains)
        }
        guard let ticks = choices.first(where: { $0.count <= count + 1 }), ticks.count >= 3 else {
            let ticks = linear(range, count: count)
            return (ticks, labels(ticks))
        }
        return (ticks, ticks.flatMap { labels([$0]) })
    }

    /// Labels with as many decimals as the ticks need, all alike.
    static func labels(_ ticks: [Double]) -> [String] {
        guard let largest = ticks.map({ abs($0) }).max(), largest > 0 else {
            return ticks.map { _ in "0" }
        }
        let step = zip(ticks, ticks.dropFirst()).map { $1 - $0 }.min() ?? largest
        if step >= 1e9 || largest < 1e-3 { return ticks.map(scientific) }
        if step >= 1e5 { return scaled(ticks, by: 1e6, suffix: "M") }
        if largest >= 1e4, step >= 1e2 { return scaled(ticks, by: 1e3, suffix: "k") }
        return scaled(ticks, by: 1, suffix: "")
    }

    private static func multiples(
        of factor: Double, times power: Double, in range: ClosedRange<Double>
    ) -> [Double] {
        let step = factor * power
        let slack = 1e-9
        let first = (range.lowerBound / step - slack).rounded(.up)
        let last = (range.upperBound / step + slack).rounded(.down)
        guard first <= last, last - first < 1000 else { return [range.lowerBound] }
        let exponent = Int(log10(power).rounded())
        return stride(from: first, through: last, by: 1).map { decimal($0 * factor, exponent) }
    }

    /// `digits` times a power of ten, rounded once: 3 and -1 make 0.3, not 0.30000000000000004.
    private static func decimal(_ digits: Double, _ exponent: Int) -> Double {
        let power = pow(10, Double(abs(exponent)))
        let value = exponent < 0 ? digits / power : digits * power
        return value == 0 ? 0 : value  // no minus sign before a zero
    }

    private static func scaled(_ ticks: [Double], by unit: Double, suffix: String) -> [String] {
        let values = ticks.map { $0 / unit }
        let step = zip(values, values.dropFirst()).map { $1 - $0 }.min() ?? values[0]
        let decimals = (0...9).first { decimals in
            let power = pow(10, Double(decimals))
            return values.allSatisfy {
                abs($0 * power - ($0 * power).rounded()) < 0.01 * abs(step) * power
            }
        }
        return values.map { value in
            value == 0 ? "0" : String(format: "%.\(decimals ?? 9)f", value) + suffix
        }
    }

    /// Such as `2e-5`: no plus sign, no leading or trailing zeros.
    private static func scientific(_ value: Double) -> String {
        guard value != 0 else { return "0" }
        let halves = String(format: "%.9e", value).split(separator: "e")
        guard halves.count == 2, let exponent = Int(halves[1]) else { return "\(value)" }
        var digits = halves[0]
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        return "\(digits)e\(exponent)"
    }
}
