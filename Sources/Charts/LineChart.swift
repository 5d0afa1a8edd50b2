import Foundation

/// A line chart, drawn to a PNG without any graphics library.
///
///     let chart = LineChart(
///         title: "Training loss", xLabel: "step", yLabel: "loss",
///         series: LineChart.Series.smoothed("LoRA", points), logarithmicY: true)
///     try chart.png().write(to: url)
///
/// Series of one name share a colour and one legend entry. The legend is a row above the plot, so
/// it covers no curve. Points that are NaN or infinite are skipped, and so, on a logarithmic
/// axis, are those not above zero.
public struct LineChart: Sendable {
    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var series: [Series]
    public var logarithmicY: Bool

    public init(
        title: String = "", xLabel: String = "", yLabel: String = "", series: [Series] = [],
        logarithmicY: Bool = false
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.series = series
        self.logarithmicY = logarithmicY
    }

    /// The picture as a PNG file; text and lines grow with it.
    ///
    /// - Throws: ``ChartError/size(width:height:)`` when it is too small or too large to draw.
    public func png(width: Int = 960, height: Int = 540) throws -> Data {
        try PanelChart([self]).png(width: width, height: height)
    }
}

extension LineChart {
    /// Points that belong together, in the order they are joined.
    public struct Series: Sendable {
        public enum Style: Sendable {
            /// A line through the points.
            case line
            /// A line with a dot at each point, for points that are few.
            case markedLine
            /// Dots alone.
            case dots
            /// A thin pale line, for raw values behind their smoothed ones.
            case faint
        }

        public var name: String
        public var points: [(x: Double, y: Double)]
        public var style: Style

        public init(_ name: String, _ points: [(x: Double, y: Double)], style: Style = .line) {
            self.name = name
            self.points = points
            self.style = style
        }

        /// A faint line of the points as they are, and over it their moving average.
        ///
        /// The average is exponential, and corrected for its start as Adam's moments are
        /// (Kingma and Ba 2015, arXiv:1412.6980, section 3). Points that are not finite take no
        /// part in it.
        ///
        /// - Parameter weight: how much of the average is kept at each point, from 0 to below 1.
        public static func smoothed(
            _ name: String, _ points: [(x: Double, y: Double)], weight: Double = 0.9
        ) -> [Series] {
            precondition((0..<1).contains(weight), "a weight is at least 0 and below 1")
            var (sum, mass) = (0.0, 0.0)
            let average = points.filter { $0.x.isFinite && $0.y.isFinite }.map { point in
                sum = weight * sum + (1 - weight) * point.y
                mass = weight * mass + (1 - weight)
                return (x: point.x, y: sum / mass)
            }
            return [Series(name, points, style: .faint), Series(name, average)]
        }
    }
}
