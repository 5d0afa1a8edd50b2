/// The points of a series where the picture has them, in runs without a gap.
struct Curve {
    /// Within a run no point is missing; y runs downwards.
    let runs: [[(x: Double, y: Double)]]

    /// - Parameter points: nil for one that has no place in the picture.
    init(_ points: [(x: Double, y: Double)?]) {
        runs = points.split(whereSeparator: { $0 == nil }).map { run in
            Self.thinned(run.compactMap { $0 })
        }
    }

    /// As the data of an SVG path. A run of one point is a line of no length, whose round ends show.
    func path(_ svg: SVGWriter) -> String {
        runs.map { run in
            let joined = run.map { svg.point($0.x, $0.y) }.joined(separator: "L")
            return "M\(joined)" + (run.count == 1 ? "h0" : "")
        }.joined()
    }

    /// The same curve to the eye: of more than four points in half a unit of width, the first, the
    /// lowest, the highest and the last.
    private static func thinned(
        _ points: [(x: Double, y: Double)]
    ) -> [(x: Double, y: Double)] {
        var kept: [(x: Double, y: Double)] = []
        var start = 0
        while start < points.count {
            let column = (points[start].x * 2).rounded(.down)
            let end =
                points[start...].firstIndex { ($0.x * 2).rounded(.down) != column } ?? points.count
            kept += end - start <= 4 ? points[start..<end] : extremes(points[start..<end])[...]
            start = end
        }
        return kept
    }

    /// In their order.
    private static func extremes(
        _ points: ArraySlice<(x: Double, y: Double)>
    ) -> [(x: Double, y: Double)] {
        let byHeight = points.indices.sorted { points[$0].y < points[$1].y }
        let ends = [points.startIndex, points.endIndex - 1]
        return Set(ends + byHeight.prefix(1) + byHeight.suffix(1)).sorted().map { points[$0] }
    }
}
