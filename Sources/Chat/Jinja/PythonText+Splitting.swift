extension PythonText {
    /// Python's `str.split` with a separator.
    static func split(_ text: String, at separator: String, limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        let pattern = Array(separator.utf8)
        return cut(bytes, at: positions(of: pattern, in: bytes, limit: limit), pattern.count)
    }

    /// Python's `str.rsplit` with a separator: the last ones count.
    static func splitFromEnd(_ text: String, at separator: String, limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        let pattern = Array(separator.utf8)
        let mirrored = positions(of: pattern.reversed(), in: bytes.reversed(), limit: limit)
        let starts = mirrored.reversed().map { bytes.count - $0 - pattern.count }
        return cut(bytes, at: starts, pattern.count)
    }

    private static func cut(_ bytes: [UInt8], at positions: [Int], _ width: Int) -> [String] {
        var pieces: [String] = []
        var start = 0
        for position in positions {
            pieces.append(String(decoding: bytes[start..<position], as: UTF8.self))
            start = position + width
        }
        return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    /// Python's `str.split` without a separator: the words between white space.
    static func words(_ text: String, limit: Int) -> [String] {
        var words: [String] = []
        var remaining = Substring(text).unicodeScalars.drop(while: \.isPythonSpace)
        while !remaining.isEmpty {
            guard words.count < limit else { return words + [String(remaining)] }
            let word = remaining.prefix { !$0.isPythonSpace }
            words.append(String(word))
            remaining = remaining[word.endIndex...].drop(while: \.isPythonSpace)
        }
        return words
    }

    /// Python's `str.rsplit` without a separator.
    static func wordsFromEnd(_ text: String, limit: Int) -> [String] {
        let mirrored = String(String.UnicodeScalarView(text.unicodeScalars.reversed()))
        return words(mirrored, limit: limit).reversed().map {
            String(String.UnicodeScalarView($0.unicodeScalars.reversed()))
        }
    }

    /// Python's `str.splitlines`.
    /// - Parameter limit: after so many lines and one more, the rest is left out.
    static func lines(_ text: String, keepingEnds: Bool, limit: Int) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var remaining = Substring(text).unicodeScalars
        while lines.count <= limit, let scalar = remaining.popFirst() {
            guard isLineEnd(scalar) else {
                line.append(scalar)
                continue
            }
            if keepingEnds { line.append(scalar) }
            if scalar == "\r", remaining.first == "\n" {
                remaining.removeFirst()
                if keepingEnds { line.append("\n") }
            }
            lines.append(String(line))
            line = String.UnicodeScalarView()
        }
        return line.isEmpty ? lines : lines + [String(line)]
    }

    private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 10...13, 28...30, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }
}
