/// Spearman's rank correlation: Pearson's, of the ranks.
///
///     try spearmanCorrelation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])  // 0.8207…
///
/// Reference: SciPy, `scipy.stats.spearmanr(x, y).statistic`, ties ranked by their average. As
/// there, the result is NaN when a column is constant or holds a NaN. Infinities rank like any
/// number. GLUE reports the coefficient for STS-B.
///
/// - Precondition: the columns are equally long.
/// - Throws: ``MetricError/noData(metric:)`` when they are empty.
public func spearmanCorrelation(_ x: [Double], _ y: [Double]) throws(MetricError) -> Double {
    try checkPairs(x.count, y.count, metric: "Spearman correlation")
    guard !x.contains(where: \.isNaN), !y.contains(where: \.isNaN) else { return .nan }
    return try pearsonCorrelation(averageRanks(x), averageRanks(y))
}

/// Ranks from 1, where equal values share the mean of the ranks they span.
///
/// Reference: `scipy.stats.rankdata(method="average")`. The values must not be NaN.
func averageRanks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
        let rank = Double(start + 1 + end) / 2
        for position in start..<end { ranks[order[position]] = rank }
        start = end
    }
    return ranks
}
