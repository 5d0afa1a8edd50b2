extension PythonText {
    /// Python's `str.split` with a separator.
    static func split(_ text: String, at separator: String, limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        let part = Array(separator.utf8)
        return cut(bytes, at: places(of: part, in: bytes, limit: limit), part.count)
    }

    /// Python's `str.rsplit` with a separator: the last ones count.
    static func splitFromEnd(_ text: String, at separator: String, limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        let part = Array(separator.utf8)
        let mirrored = places(of: part.reversed(), in: bytes.reversed(), limit: limit)
        let found = mirrored.reversed().map { bytes.count - $0 - part.count }
        return cut(bytes, at: found, part.count)
    }

    private static func cut(_ bytes: [UInt8], at places: [Int], _ width: Int) -> [String] {
        var parts: [String] = []
        var start = 0
        for place in places {
            parts.append(String(decoding: bytes[start..<place], as: UTF8.self))
            start = place + width
        }
        return parts + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    /// Python's `str.split` without a separator: the words between white space.
    static func words(_ text: String, limit: Int) -> [String] {
        var parts: [String] = []
        var rest = Substring(text).unicodeScalars.drop(while: \.isPythonSpace)
        while !rest.isEmpty {
            guard parts.count < limit else { return parts + [String(rest)] }
            let word = rest.prefix { !$0.isPythonSpace }
            parts.append(String(word))
            rest = rest[word.endIndex...].drop(while: \.isPythonSpace)
        }
        return parts
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
        var rest = Substring(text).unicodeScalars
        while lines.count <= limit, let scalar = rest.popFirst() {
            guard isLineEnd(scalar) else {
                line.append(scalar)
                continue
            }
            if keepingEnds { line.append(scalar) }
            if scalar == "\r", rest.first == "\n" {
                rest.removeFirst()
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
