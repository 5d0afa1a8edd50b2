/// A line chart: curves over two axes, with a title and a legend.
///
/// Series of one name share a colour and one legend entry. The legend is a row above the plot, so
/// it covers no curve. A line has a gap where a point is NaN or infinite.
package struct LineChart: Sendable {
    package var title: String
    package var xLabel: String
    package var yLabel: String
    package var series: [Series]

    package init(
        title: String = "", xLabel: String = "", yLabel: String = "", series: [Series] = []
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
    }
}

extension LineChart {
    /// Points that belong together, in the order they are joined.
    package struct Series: Sendable {
        package enum Style: String, Sendable, CaseIterable {
            /// A thin pale line, for raw values behind their smoothed ones.
            case faint
            /// A line through the points.
            case line
            /// A line with a dot at each point, for points that are few.
            case markedLine
        }

        package var name: String
        package var points: [(x: Double, y: Double)]
        package var style: Style

        package init(_ name: String, _ points: [(x: Double, y: Double)], style: Style = .line) {
            self.name = name
            self.points = points
            self.style = style
        }

        /// A faint line of the points as they are, and over it their moving average.
        ///
        /// The average is exponential, and corrected for its start as Adam's moments are
        /// (Kingma and Ba 2015, arXiv:1412.6980, section 3). Points that are not finite take no
        /// part in it, and it has its gap where they stand.
        ///
        /// - Parameter weight: how much of the average is kept at each point, from 0 to below 1.
        package static func smoothed(
            _ name: String, _ points: [(x: Double, y: Double)], weight: Double = 0.9
        ) -> [Series] {
            precondition((0..<1).contains(weight), "a weight is at least 0 and below 1")
            var (sum, mass) = (0.0, 0.0)
            let average = points.map { point -> (x: Double, y: Double) in
                guard point.x.isFinite, point.y.isFinite else { return (point.x, .nan) }
                sum = weight * sum + (1 - weight) * point.y
                mass = weight * mass + (1 - weight)
                return (point.x, sum / mass)
            }
            return [Series(name, points, style: .faint), Series(name, average)]
        }
    }
}
