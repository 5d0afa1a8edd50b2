/// The end of a run of bytes that may be the beginning of a character.
enum UTF8Tail {
    /// How many bytes at the end are the beginning, but not yet all, of a valid character.
    static func length(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }
            let tail = bytes[(bytes.count - length)...]
            return length < expectedLength(lead) && isValidBeginning(tail) ? length : 0
        }
        return 0
    }

    private static func expectedLength(_ lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    /// Whether the second byte, if there is one, may follow the first (Unicode, table 3-7).
    private static func isValidBeginning(_ tail: ArraySlice<UInt8>) -> Bool {
        guard let lead = tail.first, let second = tail.dropFirst().first else { return true }
        switch lead {
        case 0xE0: return second >= 0xA0
        case 0xED: return second <= 0x9F
        case 0xF0: return second >= 0x90
        case 0xF4: return second <= 0x8F
        default: return true
        }
    }
}
