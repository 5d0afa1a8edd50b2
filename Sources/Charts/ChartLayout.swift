/// Where the parts of one chart lie, and how they are drawn.
struct ChartLayout: Sendable {
    private static let tickText = TextWidth(size: 12)

    let chart: LineChart
    let palette: Palette
    let x: Axis
    let y: Axis
    /// Where curves are drawn.
    let plot: Box
    let legend: Legend
    private let box: Box

    init(_ chart: LineChart, in box: Box, palette: Palette) {
        (self.chart, self.box, self.palette) = (chart, box, palette)
        let points = chart.series.flatMap { $0.points.filter { Self.shows($0, on: chart.yScale) } }
        x = Axis(
            showing: points.map(\.x), counts: chart.xCounts, margin: 0.02, tickCount: 7)
        y = Axis(
            showing: points.map(\.y), on: chart.yScale, margin: 0.05, tickCount: 7)
        let tickWidth = y.labels.map { Self.tickText($0) }.max() ?? 0
        let left = box.left + tickWidth + (chart.yLabel.isEmpty ? 25 : 47)
        let legend = Legend(chart, width: box.right - left - 12)
        let top = box.top + (chart.title.isEmpty ? 18 : 44) + legend.height
        let bottom = box.bottom - (chart.xLabel.isEmpty ? 34 : 56)
        let right = box.right - max(18, Self.tickText(x.labels.last ?? "") / 2 + 8)
        self.legend = legend
        // However long the legend, some plot remains.
        plot = Box(
            left: min(left, right - 40).rounded(), top: min(top, bottom - 40).rounded(),
            right: right.rounded(), bottom: bottom.rounded())
    }

    private static func shows(_ point: (x: Double, y: Double), on yScale: LineChart.Scale) -> Bool {
        Axis.shows(point.x) && Axis.shows(point.y, on: yScale)
    }

    private func shows(_ point: (x: Double, y: Double)) -> Bool {
        Self.shows(point, on: chart.yScale)
    }

    /// Where a value lies in the picture; nil for one that has no place on the axes.
    func location(of point: (x: Double, y: Double)) -> (x: Double, y: Double)? {
        guard shows(point) else { return nil }
        return (
            plot.left + x.position(point.x) * plot.width,
            plot.bottom - y.position(point.y) * plot.height
        )
    }

    func draw(on svg: inout SVGWriter) {
        drawGrid(on: &svg)
        for style in LineChart.Series.Style.allCases {
            for series in chart.series where series.style == style { draw(series, on: &svg) }
        }
        drawTitles(on: &svg)
        legend.draw(
            on: &svg, left: plot.left, top: box.top + (chart.title.isEmpty ? 14 : 42),
            palette: palette)
    }

    private func draw(_ series: LineChart.Series, on svg: inout SVGWriter) {
        let curve = Curve(series.points.map(location))
        guard !curve.runs.isEmpty else { return }
        svg.element("g", [("class", palette.colorClass(of: series.colorName))]) { svg in
            svg.text("title", series.name)
            svg.element("path", [("class", series.style.rawValue), ("d", curve.path(svg))])
            guard series.style != .faint else { return }
            for run in curve.runs where series.style.isMarked || run.count == 1 {
                for point in run { svg.dot(point.x, point.y) }
            }
        }
    }

    private func drawGrid(on svg: inout SVGWriter) {
        for (tick, label) in zip(y.ticks, y.labels) {
            let height = Self.sharp(plot.bottom - y.position(tick) * plot.height)
            svg.line("grid", "M\(svg.point(plot.left, height))H\(svg.number(plot.right))")
            svg.label(label, "tick end", x: plot.left - 9, y: height + 4)
        }
        for (tick, label) in zip(x.ticks, x.labels) {
            let column = Self.sharp(plot.left + x.position(tick) * plot.width)
            svg.line("grid", "M\(svg.point(column, plot.top))V\(svg.number(plot.bottom))")
            svg.line("frame", "M\(svg.point(column, plot.bottom))v5")
            svg.label(label, "tick middle", x: column, y: plot.bottom + 20)
        }
        let corner = svg.point(Self.sharp(plot.left), plot.top)
        svg.line(
            "frame", "M\(corner)V\(svg.number(Self.sharp(plot.bottom)))H\(svg.number(plot.right))")
    }

    private func drawTitles(on svg: inout SVGWriter) {
        // Bold letters are wider.
        let title = TextWidth(size: 20).fitted(chart.title, width: box.right - plot.left - 10)
        svg.label(title, "title", x: plot.left, y: box.top + 31)
        let middle = (x: (plot.left + plot.right) / 2, y: (plot.top + plot.bottom) / 2)
        let xLabel = Legend.text.fitted(chart.xLabel, width: plot.width)
        svg.label(xLabel, "label middle", x: middle.x, y: box.bottom - 15)
        let yLabel = Legend.text.fitted(chart.yLabel, width: plot.height)
        svg.label(yLabel, "label middle", x: box.left + 24, y: middle.y, upwards: true)
        if !chart.series.contains(where: { $0.points.contains(where: shows) }) {
            svg.label("no data", "label middle", x: middle.x, y: middle.y)
        }
    }

    /// The nearest middle of a unit, where a line of one unit has sharp edges.
    private static func sharp(_ value: Double) -> Double { value.rounded(.down) + 0.5 }
}

extension SVGWriter {
    fileprivate mutating func line(_ kind: String, _ path: String) {
        element("path", [("class", kind), ("d", path)])
    }

    mutating func dot(_ x: Double, _ y: Double) {
        element("circle", [("cx", number(x)), ("cy", number(y)), ("r", "4")])
    }

    /// A text whose baseline begins, or has its middle or end, at a point.
    mutating func label(
        _ words: String, _ kind: String, x: Double, y: Double, upwards: Bool = false
    ) {
        var attributes = [("class", kind), ("x", number(x)), ("y", number(y))]
        if upwards { attributes.append(("transform", "rotate(-90 \(point(x, y)))")) }
        text("text", words, attributes)
    }
}
