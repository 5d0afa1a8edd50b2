/// How a scalar behaves at a word boundary.
enum BoundaryClass { case word, symbol, alone, separator }

extension Words {
    /// Cuts wherever the class changes, and around every scalar that stands alone.
    @inline(__always)
    mutating func splitByClass(_ classify: (Unicode.Scalar) -> BoundaryClass) {
        split { text, word, newWords in
            var start = word.lowerBound
            var previous = BoundaryClass.separator
            for index in word {
                let current = classify(text[index])
                if current != previous || current == .alone {
                    if previous != .separator { newWords.append(start..<index) }
                    start = index
                    previous = current
                }
            }
            if previous != .separator { newWords.append(start..<word.upperBound) }
        }
    }
}
