/// A line chart: curves over two axes, with a title and a legend.
///
/// Series of one name share one legend entry. The legend is a row above the plot, so
/// it covers no curve. A line has a gap where a point is NaN or infinite.
package struct LineChart: Sendable {
    package var title: String
    package var xLabel: String
    package var yLabel: String
    /// Whether x counts something from 0: whole numbers.
    package var xCounts: Bool
    package var yScale: Scale
    package var series: [Series]

    package init(
        title: String = "", xLabel: String = "", yLabel: String = "", xCounts: Bool = false,
        yScale: Scale = .linear, series: [Series] = []
    ) {
        self.xCounts = xCounts
        self.yScale = yScale
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
    }
}

extension LineChart {
    /// How far apart values lie: by their differences, or by their quotients. The latter has no place for
    /// what is not above 0.
    package enum Scale: Sendable { case linear, logarithmic }

    /// Points that belong together, in the order they are joined.
    package struct Series: Sendable {
        package enum Style: String, Sendable, CaseIterable {
            /// A thin pale line, for raw values behind their smoothed ones.
            case faint
            /// A line through the points.
            case line
            /// A line with a dot at each point, for points that are few.
            case markedLine
            /// The same, dashed: another quantity of what has a line in the same colour.
            case dashedLine

            var isMarked: Bool { self == .markedLine || self == .dashedLine }
        }

        package var name: String
        /// Series with one of these share a colour.
        package var colorName: String
        package var points: [(x: Double, y: Double)]
        package var style: Style

        /// - Parameter colorName: the name's own colour where it is nil.
        package init(
            _ name: String, _ points: [(x: Double, y: Double)], style: Style = .line,
            colorName: String? = nil
        ) {
            self.name = name
            self.colorName = colorName ?? name
            self.points = points
            self.style = style
        }

        /// A faint line of the points as they are, and over it the smooth course that they follow.
        package static func smoothed(
            _ name: String, _ points: [(x: Double, y: Double)], colorName: String? = nil
        ) -> [Series] {
            [
                Series(name, points, style: .faint, colorName: colorName),
                Series(name, Smoothing.course(of: points), colorName: colorName),
            ]
        }
    }
}
