import Foundation

/// A moment on this machine's clock.
struct LocalTime {
    private let time: tm

    init(_ date: Date) throws(Fault) {
        var localTime = tm()
        guard var seconds = time_t(exactly: date.timeIntervalSince1970.rounded(.down)),
            localtime_r(&seconds, &localTime) != nil
        else { throw .failed("strftime_now() has no date for what the clock shows") }
        time = localTime
    }

    /// Python's `datetime.strftime` of a time without a zone.
    func text(_ format: String) throws(Fault) -> String {
        guard format.utf8.count <= 1000 else {
            throw .limit("the format of strftime_now() has more than 1000 bytes")
        }
        guard !format.isEmpty, !format.utf8.contains(0) else { return "" }
        var localTime = time
        var buffer = [CChar](repeating: 0, count: 64 * format.utf8.count + 64)
        let known = try plain(format)
        let count = strftime(&buffer, buffer.count, known, &localTime)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The format without what has no text in a time without a zone; fractions are refused.
    private func plain(_ format: String) throws(Fault) -> String {
        var made = String.UnicodeScalarView()
        var remaining = Substring(format).unicodeScalars
        while let scalar = remaining.popFirst() {
            guard scalar == "%", let letter = remaining.popFirst() else {
                made.append(scalar)
                continue
            }
            switch letter {
            case "z", "Z": continue
            case "f": throw .unsupported("'%f' in strftime_now()")
            default: made.append(contentsOf: [scalar, letter])
            }
        }
        return String(made)
    }
}
