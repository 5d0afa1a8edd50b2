import Testing

@testable import DualCharts

@Suite struct LineChartTests {
    let width = 480
    let height = 320

    func layout(_ chart: LineChart) -> ChartLayout {
        PanelChart([chart]).layouts(width: width, height: height)[0]
    }

    /// The colour in the middle of a curve at a point of the data.
    func color(of chart: LineChart, at point: (x: Double, y: Double)) throws -> Color {
        let place = layout(chart).place(point)
        let canvas = try PanelChart([chart]).draw(width: width, height: height)
        return canvas.color(x: Int(place.x), y: Int(place.y))
    }

    func count(_ color: Color, in canvas: Canvas) -> Int {
        (0..<canvas.height).reduce(0) { sum, y in
            sum + (0..<canvas.width).count { canvas.color(x: $0, y: y) == color }
        }
    }

    @Test("Curves have their colours where their points lie, and the ground is white")
    func colorsAtPoints() throws {
        let chart = LineChart(
            title: "T", xLabel: "x", yLabel: "y",
            series: [
                .init("low", [(0, 1), (5, 1), (10, 1)], style: .dots),
                .init("high", [(0, 3), (5, 3), (10, 3)], style: .markedLine),
            ])
        #expect(try color(of: chart, at: (5, 1)) == Palette.colors[0])
        #expect(try color(of: chart, at: (5, 3)) == Palette.colors[1])
        #expect(try color(of: chart, at: (3.3, 2.13)) == Color(0xFFFFFF))
        #expect(try color(of: chart, at: (3.3, 1)) != Palette.colors[0])
    }

    @Test("A line is about two pixels thick")
    func thickness() throws {
        let chart = LineChart(series: [.init("a", [(0, 1), (10, 1)])])
        let canvas = try PanelChart([chart]).draw(width: width, height: height)
        let column = Int(layout(chart).place((x: 4.4, y: 1)).x)
        let ink = (0..<height).reduce(0.0) { sum, y in
            let color = canvas.color(x: column, y: y)
            // Blue has no red, so the red that is gone is what the line covers; grid is grey.
            return color.red < color.blue ? sum + Double(255 - Int(color.red)) / 255 : sum
        }
        #expect(abs(ink - 2) < 0.5)
    }

    @Test("A point that is not finite is skipped and its neighbours are joined")
    func nonFinitePoints() throws {
        let holes = LineChart(
            series: [.init("a", [(0, 1), (1, .nan), (2, .infinity), (.nan, 2), (4, 1)])])
        let plain = LineChart(series: [.init("a", [(0, 1), (4, 1)])])
        let drawn = try PanelChart([holes]).draw(width: width, height: height).pixels
        #expect(drawn == (try PanelChart([plain]).draw(width: width, height: height).pixels))
    }

    @Test("A logarithmic axis skips what is not above zero and spaces decades evenly")
    func logarithmicAxis() {
        let chart = LineChart(
            series: [.init("a", [(0, 1), (1, 10), (2, 100), (3, 0), (4, -5)])], logarithmicY: true)
        let layout = layout(chart)
        let places = [1.0, 10, 100].map { layout.place((x: 0, y: $0)).y }
        #expect(abs((places[0] - places[1]) - (places[1] - places[2])) < 1e-9)
        #expect(layout.x.range.upperBound < 3)
    }

    static let oddSeries: [(String, [(x: Double, y: Double)])] = [
        ("empty", []), ("one point", [(3, 7)]), ("zero alone", [(0, 0)]),
        ("all equal", [(0, 2), (1, 2), (2, 2)]), ("one column", [(1, 1), (1, 2)]),
        ("huge", [(0, -1e305), (1, 1e299), (2, 1e-300)]),
        ("tiny", [(0, .leastNonzeroMagnitude), (1, .leastNormalMagnitude)]),
        ("offset", [(0, 1e8), (1, 1e8 + 1e-9)]), ("not finite", [(0, .nan), (.infinity, 1)]),
    ]

    @Test("Odd series are drawn", arguments: oddSeries.indices, [false, true])
    func oddSeriesAreDrawn(_ index: Int, _ logarithmic: Bool) throws {
        let (name, points) = Self.oddSeries[index]
        for style in [LineChart.Series.Style.line, .markedLine, .dots, .faint] {
            let chart = LineChart(
                title: name, series: [.init(name, points, style: style)],
                logarithmicY: logarithmic)
            let canvas = try PanelChart([chart]).draw(width: 240, height: 180)
            #expect(canvas.pixels.contains { $0 < 255 })
        }
    }

    @Test("A single point of a line shows as a dot")
    func singlePoint() throws {
        let chart = LineChart(series: [.init("a", [(3, 7)])])
        #expect(try color(of: chart, at: (3, 7)) == Palette.colors[0])
    }

    @Test("The legend lies above the plot, one entry a name, and keeps inside the picture")
    func legendIsAside() {
        let names = ["first", "second", "a very long name indeed", "fourth", "first"]
        let chart = LineChart(
            title: "T", series: names.map { .init($0, [(0, 1), (1, 2)]) })
        let layout = layout(chart)
        #expect(layout.legend.entries.map(\.name) == Array(names.prefix(4)))
        let scale = 0.85
        #expect(layout.plot.top >= 44 * scale + layout.legend.height - 1)
        for entry in layout.legend.entries {
            let end =
                layout.plot.left + entry.left
                + StrokeFont.standard.width(entry.label, size: 13 * scale) + 29 * scale
            #expect(end <= Double(width))
        }
    }

    @Test("A name cut in the legend keeps its colour")
    func cutNameKeepsColor() throws {
        let long = String(repeating: "a long name ", count: 20)
        let chart = LineChart(
            series: [.init("a", [(0, 1)], style: .dots), .init(long, [(1, 2)], style: .dots)])
        let entry = layout(chart).legend.entries[1]
        #expect(entry.label.hasSuffix("..."))
        let canvas = try PanelChart([chart]).draw(width: width, height: height)
        let top = Int(layout(chart).plot.top)
        let inLegend = (0..<top).contains { y in
            (0..<width).contains { canvas.color(x: $0, y: y) == Palette.colors[1] }
        }
        #expect(inLegend)
    }

    @Test("Smoothing keeps the raw line, faint, and its average begins at the first value")
    func smoothing() {
        let series = LineChart.Series.smoothed("a", [(0, 4), (1, .nan), (2, 2)], weight: 0.5)
        #expect(series.map(\.style) == [.faint, .line])
        #expect(series.map(\.name) == ["a", "a"])
        #expect(series[0].points.count == 3)
        // Weights 1/4 and 1/2, divided by their sum: (4/4 + 2/2) / (3/4)
        #expect(series[1].points.map(\.x) == [0, 2])
        #expect(series[1].points[0].y == 4)
        #expect(abs(series[1].points[1].y - 8.0 / 3) < 1e-12)
    }

    @Test("A faint line is paler than the line it lies behind")
    func faintLine() throws {
        let chart = LineChart(series: [.init("a", [(0, 1), (10, 1)], style: .faint)])
        let canvas = try PanelChart([chart]).draw(width: width, height: height)
        let plot = layout(chart).plot
        let red = (Int(plot.top)..<Int(plot.bottom)).map {
            Int(canvas.color(x: Int(plot.left) + 37, y: $0).red)
        }
        #expect((120...230).contains(red.min() ?? 0))
    }
}

@Suite struct PanelChartTests {
    @Test("Panels lie side by side and share the colour of a name")
    func panels() throws {
        let loss = LineChart(series: [
            .init("a", [(0, 1)], style: .dots), .init("b", [(1, 2)], style: .dots),
        ])
        let metric = LineChart(series: [.init("b", [(0, 1)], style: .dots)])
        let picture = PanelChart([loss, metric])
        let layouts = picture.layouts(width: 600, height: 240)
        #expect(layouts[0].plot.right < 300 && layouts[1].plot.left > 300)
        let canvas = try picture.draw(width: 600, height: 240)
        let places = [layouts[0].place((x: 1, y: 2)), layouts[1].place((x: 0, y: 1))]
        for place in places {
            #expect(canvas.color(x: Int(place.x), y: Int(place.y)) == Palette.colors[1])
        }
    }

    @Test("A size that cannot be drawn is an error that says which can")
    func badSizes() {
        let chart = LineChart()
        for (width, height) in [(0, 0), (-5, 300), (100, 300), (300, 20), (9000, 300)] {
            #expect(throws: ChartError.size(width: width, height: height)) {
                try chart.png(width: width, height: height)
            }
        }
        #expect(throws: ChartError.noPanels) { try PanelChart([]).png() }
        #expect(
            "\(ChartError.size(width: 9, height: 9))" == "a chart of 9 x 9 pixels cannot be drawn; "
                + "each panel needs at least 240 x 180, and no side may exceed 8192.")
    }
}
