/// Charts side by side in one picture, such as loss on the left and a metric on the right.
///
///     let loss = LineChart(
///         title: "Loss", xLabel: "step", yLabel: "loss",
///         series: LineChart.Series.smoothed("LoRA", points))
///     try PanelChart([loss]).svg().write(to: url, atomically: true, encoding: .utf8)
///
/// A series has the same colour in every panel that has one of its `colorName`.
package struct PanelChart: Sendable {
    static let panelWidth = 640.0
    static let height = 480.0

    package var charts: [LineChart]

    package init(_ charts: [LineChart]) { self.charts = charts }

    /// The picture as an SVG file that needs no other: 640 x 480 units a panel, drawn at any size,
    /// on white or, where a reader prefers dark pages, on black.
    package func svg() -> String {
        let width = Self.panelWidth * Double(charts.count)
        var svg = SVGWriter()
        svg.element(
            "svg",
            [
                ("xmlns", "http://www.w3.org/2000/svg"), ("width", svg.number(width)),
                ("height", svg.number(Self.height)),
                ("viewBox", "0 0 \(svg.number(width)) \(svg.number(Self.height))"),
                ("role", "img"),
            ]
        ) { svg in
            svg.text("title", charts.map(\.title).filter { !$0.isEmpty }.joined(separator: "; "))
            svg.text("style", ChartStyle.sheet)
            svg.element("rect", [("class", "paper"), ("width", "100%"), ("height", "100%")])
            for layout in layouts { layout.draw(on: &svg) }
        }
        return svg.document
    }

    /// Where each chart's parts lie.
    var layouts: [ChartLayout] {
        let palette = Palette(names: charts.flatMap { $0.series.map(\.colorName) })
        return charts.enumerated().map { index, chart in
            let left = Self.panelWidth * Double(index)
            let box = Box(left: left, top: 0, right: left + Self.panelWidth, bottom: Self.height)
            return ChartLayout(chart, in: box, palette: palette)
        }
    }
}
