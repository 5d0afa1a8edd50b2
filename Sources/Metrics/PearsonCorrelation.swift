/// Pearson's linear correlation of two columns of numbers.
///
///     try pearsonCorrelation([1, 2, 3, 4, 5], [10, 9, 2.5, 6, 4])  // -0.7426…
///
/// Two passes, so a large common offset costs no digits, and deviations are scaled by their
/// largest before they are squared, so tiny and huge values neither vanish nor overflow.
///
/// Reference: SciPy, `scipy.stats.pearsonr(x, y).statistic`. As there, the result is NaN when a
/// column is constant or holds a NaN or an infinity. One pair alone, which SciPy refuses, is a
/// constant column and gives NaN too. JSON has no NaN: whoever writes the value out must choose a
/// stand-in. GLUE reports the coefficient for STS-B.
///
/// - Precondition: the columns are equally long.
/// - Throws: ``MetricError/noData(metric:)`` when they are empty.
public func pearsonCorrelation(_ x: [Double], _ y: [Double]) throws(MetricError) -> Double {
    try checkPairs(x.count, y.count, metric: "Pearson correlation")
    guard let x = unitDeviations(x), let y = unitDeviations(y) else { return .nan }
    let r = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    return min(1, max(-1, r))
}

/// The deviations from the mean, divided by their Euclidean norm; nil when that is undefined.
private func unitDeviations(_ values: [Double]) -> [Double]? {
    // Compared exactly: the mean of equal numbers need not round to that number.
    guard let first = values.first, values.contains(where: { $0 != first }) else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    // What rounding left in the mean is measured and taken out in a second pass.
    let residue = values.reduce(0) { $0 + ($1 - mean) } / count
    let deviations = values.map { ($0 - mean) - residue }
    let largest = deviations.reduce(0) { max($0, abs($1)) }
    guard largest > 0, deviations.allSatisfy(\.isFinite) else { return nil }
    let scaled = deviations.map { $0 / largest }
    let norm = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return scaled.map { $0 / norm }
}
