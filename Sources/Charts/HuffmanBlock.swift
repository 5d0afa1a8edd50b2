/// One DEFLATE block with Huffman codes of its own (RFC 1951, section 3.2.7).
struct HuffmanBlock {
    private static let endOfBlock = 256
    private static let lengthCodes = ranges(
        extraBits: [
            0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5,
        ], from: 3)
    private static let distanceCodes = ranges(
        extraBits: [
            0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12,
            12, 13, 13,
        ], from: 1)

    private let tokens: ArraySlice<Deflate.Token>
    private let literals: HuffmanCode
    private let distances: HuffmanCode

    init(_ tokens: ArraySlice<Deflate.Token>) {
        self.tokens = tokens
        var literalCounts = [Int](repeating: 0, count: 286)
        var distanceCounts = [Int](repeating: 0, count: 30)
        literalCounts[Self.endOfBlock] = 1
        for token in tokens {
            if token.isCopy {
                literalCounts[Self.lengthSymbol(Int(token.length)).symbol] += 1
                distanceCounts[Self.distanceSymbol(Int(token.value)).symbol] += 1
            } else {
                literalCounts[Int(token.value)] += 1
            }
        }
        literals = HuffmanCode(frequencies: literalCounts, longest: 15)
        distances = HuffmanCode(frequencies: distanceCounts, longest: 15)
    }

    func write(to writer: inout BitWriter, isLast: Bool) {
        writer.write(isLast ? 1 : 0, bits: 1)
        writer.write(2, bits: 2)
        writeCodeLengths(to: &writer)
        for token in tokens {
            guard token.isCopy else {
                literals.write(Int(token.value), to: &writer)
                continue
            }
            let length = Self.lengthSymbol(Int(token.length))
            literals.write(length.symbol, to: &writer)
            writer.write(length.extra, bits: length.bits)
            let distance = Self.distanceSymbol(Int(token.value))
            distances.write(distance.symbol, to: &writer)
            writer.write(distance.extra, bits: distance.bits)
        }
        literals.write(Self.endOfBlock, to: &writer)
    }

    /// The lengths of both codes, as runs, under a third code.
    private func writeCodeLengths(to writer: inout BitWriter) {
        let literalLengths = Self.trimmed(literals.lengths, atLeast: 257)
        let distanceLengths = Self.trimmed(distances.lengths, atLeast: 1)
        let runs = Self.runs(literalLengths + distanceLengths)
        var counts = [Int](repeating: 0, count: 19)
        for run in runs { counts[run.symbol] += 1 }
        let code = HuffmanCode(frequencies: counts, longest: 7)
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        let lengths = Self.trimmed(order.map { code.lengths[$0] }, atLeast: 4)
        writer.write(literalLengths.count - 257, bits: 5)
        writer.write(distanceLengths.count - 1, bits: 5)
        writer.write(lengths.count - 4, bits: 4)
        for length in lengths { writer.write(length, bits: 3) }
        for run in runs {
            code.write(run.symbol, to: &writer)
            writer.write(run.extra, bits: run.bits)
        }
    }

    private static func trimmed(_ lengths: [Int], atLeast count: Int) -> [Int] {
        let used = (lengths.lastIndex { $0 > 0 } ?? 0) + 1
        return Array(lengths.prefix(max(count, used)))
    }

    private typealias Symbol = (symbol: Int, extra: Int, bits: Int)

    /// Runs of code lengths: 16 repeats the last one, 17 and 18 repeat zero.
    private static func runs(_ lengths: [Int]) -> [Symbol] {
        var runs: [Symbol] = []
        var rest = lengths[...]
        while let value = rest.first {
            let count = rest.prefix { $0 == value }.count
            var taken = 1
            if value == 0, count >= 11 {
                taken = min(count, 138)
                runs.append((18, taken - 11, 7))
            } else if value == 0, count >= 3 {
                taken = count
                runs.append((17, taken - 3, 3))
            } else if count >= 4 {
                taken = min(count, 7)
                runs.append((value, 0, 0))
                runs.append((16, taken - 4, 2))
            } else {
                runs.append((value, 0, 0))
            }
            rest = rest.dropFirst(taken)
        }
        return runs
    }

    private static func lengthSymbol(_ length: Int) -> Symbol {
        guard length < 258 else { return (285, 0, 0) }
        let code = lengthCodes.table[length]
        return (257 + code, length - lengthCodes.starts[code], lengthCodes.extraBits[code])
    }

    private static func distanceSymbol(_ distance: Int) -> Symbol {
        let code = distanceCodes.table[distance]
        return (code, distance - distanceCodes.starts[code], distanceCodes.extraBits[code])
    }

    private struct Ranges {
        var starts: [Int] = []
        var extraBits: [Int] = []
        /// The code of each value.
        var table: [Int] = []
    }

    private static func ranges(extraBits: [Int], from first: Int) -> Ranges {
        var ranges = Ranges(extraBits: extraBits)
        ranges.table = [Int](repeating: 0, count: first)
        for (code, bits) in extraBits.enumerated() {
            ranges.starts.append(ranges.table.count)
            ranges.table += [Int](repeating: code, count: 1 << bits)
        }
        return ranges
    }
}

/// A canonical Huffman code whose words have a greatest length.
struct HuffmanCode {
    let lengths: [Int]
    /// Each word with its bits reversed, as the stream wants them.
    private let words: [Int]

    init(frequencies: [Int], longest: Int) {
        lengths = Self.lengths(frequencies, longest: longest)
        words = Self.words(lengths)
    }

    func write(_ symbol: Int, to writer: inout BitWriter) {
        writer.write(words[symbol], bits: lengths[symbol])
    }

    /// Optimal lengths under a limit, by package-merge (Larmore and Hirschberg 1990).
    ///
    /// With no symbol at all, or one, a word of one bit is still given, since a decoder may
    /// refuse an empty code.
    private static func lengths(_ frequencies: [Int], longest: Int) -> [Int] {
        var lengths = [Int](repeating: 0, count: frequencies.count)
        let used = frequencies.indices.filter { frequencies[$0] > 0 }
        guard used.count > 1 else {
            lengths[used.first ?? 0] = 1
            return lengths
        }
        typealias Package = (weight: Int, symbols: [Int])
        let leaves: [Package] = used.map { (frequencies[$0], [$0]) }
        var packages: [Package] = []
        for _ in 0..<longest {
            let merged = (leaves + packages).sorted { $0.weight < $1.weight }
            packages = stride(from: 0, to: merged.count - 1, by: 2).map {
                let (a, b) = (merged[$0], merged[$0 + 1])
                return (a.weight + b.weight, a.symbols + b.symbols)
            }
        }
        for package in packages.prefix(used.count - 1) {
            for symbol in package.symbols { lengths[symbol] += 1 }
        }
        return lengths
    }

    private static func words(_ lengths: [Int]) -> [Int] {
        var words = [Int](repeating: 0, count: lengths.count)
        var next = 0
        for length in 1...15 {
            next <<= 1
            for symbol in lengths.indices where lengths[symbol] == length {
                words[symbol] = (0..<length).reduce(0) { $0 << 1 | (next >> $1 & 1) }
                next += 1
            }
        }
        return words
    }
}
