/// What stands between the fields of a table's rows.
public enum FieldSeparator: String, CaseIterable, Sendable {
    case comma, semicolon, tab, bar

    var byte: UInt8 {
        switch self {
        case .comma: UInt8(ascii: ",")
        case .semicolon: UInt8(ascii: ";")
        case .tab: UInt8(ascii: "\t")
        case .bar: UInt8(ascii: "|")
        }
    }

    /// The name in messages, of several.
    var plural: String {
        switch self {
        case .comma: "commas"
        case .semicolon: "semicolons"
        case .tab: "tabs"
        case .bar: "'|'"
        }
    }

    /// The separator of a name, or spelled as it is; nil for none.
    public init?(spelled text: String) {
        let found = Self.allCases.first {
            text == $0.rawValue || Array(text.utf8) == [$0.byte] || text == "\\t" && $0 == .tab
        }
        guard let found else { return nil }
        self = found
    }

    /// What the first line of a file, its header, has most of outside quotes; a comma where it has none.
    init(header bytes: some Sequence<UInt8>) {
        var counts: [UInt8: Int] = [:]
        var isQuoted = false
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == 0xA, !isQuoted { break }
            if !isQuoted { counts[byte, default: 0] += 1 }
        }
        var best = Self.comma
        for other in Self.allCases where counts[other.byte] ?? 0 > counts[best.byte] ?? 0 {
            best = other
        }
        self = best
    }
}
