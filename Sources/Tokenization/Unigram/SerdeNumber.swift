import Foundation

/// Decimal numbers as the Rust crate `serde_json` reads them, which is not to the nearest number:
/// up to nineteen digits make an integer, which is rounded, and is then multiplied with or divided
/// by a power of ten, which rounds again. Scores that differ in the last bit decide about ties.
enum SerdeNumber {
    /// nil for what is no JSON number, and for one beyond the range of a `Double`.
    static func double(_ text: Substring) -> Double? {
        var remaining = text.utf8[...]
        let isNegative = remaining.first == UInt8(ascii: "-")
        if isNegative { remaining = remaining.dropFirst() }
        guard let first = remaining.first, isDigit(first) else { return nil }
        var digits = Digits()
        let whole = remaining.prefix(while: isDigit)
        guard first != UInt8(ascii: "0") || whole.count == 1 else { return nil }
        for digit in whole { digits.append(digit, afterPoint: false) }
        remaining = remaining.dropFirst(whole.count)
        if remaining.first == UInt8(ascii: ".") {
            let fraction = remaining.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            digits.startFraction()
            for digit in fraction { digits.append(digit, afterPoint: true) }
            remaining = remaining.dropFirst(1 + fraction.count)
        }
        if remaining.first == UInt8(ascii: "e") || remaining.first == UInt8(ascii: "E") {
            guard let exponent = exponent(remaining.dropFirst()) else { return nil }
            digits.exponent += exponent
            remaining = remaining.dropFirst(remaining.count)
        }
        guard remaining.isEmpty, let value = digits.value else { return nil }
        return isNegative ? -value : value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func exponent(_ text: Substring.UTF8View.SubSequence) -> Int? {
        var digits = text
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            digits = digits.dropFirst()
        }
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        let size = Int(String(decoding: digits, as: UTF8.self)) ?? 1_000_000
        return text.first == UInt8(ascii: "-") ? -min(size, 1_000_000) : min(size, 1_000_000)
    }

    /// The digits that fit into 64 bits; those behind them only count as a power of ten.
    private struct Digits {
        var significand: UInt64 = 0
        var exponent = 0
        private var isFull = false

        /// What did not fit before the point says nothing about what fits behind it.
        mutating func startFraction() { isFull = false }

        mutating func append(_ digit: UInt8, afterPoint: Bool) {
            if !isFull {
                let (tenfold, first) = significand.multipliedReportingOverflow(by: 10)
                let (sum, second) = tenfold.addingReportingOverflow(UInt64(digit & 0xF))
                isFull = first || second
                if !isFull { significand = sum }
            }
            if isFull != afterPoint { exponent += afterPoint ? -1 : 1 }
        }

        var value: Double? {
            var value = Double(significand)
            var exponent = exponent
            while exponent < -308, value != 0 {
                value /= 1e308
                exponent += 308
            }
            if value == 0 { return 0 }
            guard exponent <= 308 else { return nil }
            if exponent >= 0 { value *= powers[exponent] } else { value /= powers[-exponent] }
            return value.isFinite ? value : nil
        }
    }

    private static let powers: [Double] = (0...308).map { Double("1e\($0)") ?? .infinity }
}
