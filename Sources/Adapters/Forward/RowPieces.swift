extension Range<Int> {
    /// These rows, of so many columns each, in pieces of which a plain expression may have several
    /// in memory at once.
    func pieces(columns: Int) -> [Range<Int>] {
        let size = Swift.max(1, (4 << 20) / Swift.max(1, columns))
        return stride(from: lowerBound, to: upperBound, by: size).map {
            $0..<Swift.min($0 + size, upperBound)
        }
    }

    func shifted(by distance: Int) -> Range<Int> {
        (lowerBound + distance)..<(upperBound + distance)
    }
}
