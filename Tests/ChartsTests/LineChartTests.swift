import Testing

@testable import DualCharts

@Suite struct LineChartTests {
    func layout(_ chart: LineChart) -> ChartLayout { PanelChart([chart]).layouts[0] }

    func picture(_ chart: LineChart) -> Picture { Picture(PanelChart([chart]).svg()) }

    /// The data of the one path of a class and colour in the plot.
    func path(_ chart: LineChart, _ kind: String = "line", color: String = "c0") throws -> String {
        let paths = picture(chart).elements(kind, color: color)
        return try #require(paths.first?.attributes["d"])
    }

    @Test("A curve goes through its points, in its style and the colour of its name")
    func points() throws {
        let chart = LineChart(
            title: "T", xLabel: "x", yLabel: "y",
            series: [
                .init("low", [(0, 1), (5, 1), (10, 2)]),
                .init("high", [(0, 3), (5, 3), (10, 3)], style: .markedLine),
            ])
        let layout = layout(chart)
        let svg = SVGWriter()
        let ends = try [(0.0, 1.0), (5, 1), (10, 2)].map {
            let location = try #require(layout.location(of: $0))
            return svg.point(location.x, location.y)
        }
        #expect(try path(chart) == "M" + ends.joined(separator: "L"))
        let dots = picture(chart).elements.filter { $0.name == "circle" }
        #expect(dots.filter { $0.outerClasses.contains("c1") }.count == 4)  // one in the legend
        #expect(dots.count == 4)
        let high = try #require(layout.location(of: (5, 3)))
        #expect(dots[1].number("cx").map { abs($0 - high.x) < 0.01 } == true)
        #expect(dots[1].number("cy").map { abs($0 - high.y) < 0.01 } == true)
    }

    @Test("A line has gaps at points that are not finite, and a dot at one that stands alone")
    func nonFinitePoints() throws {
        let chart = LineChart(
            series: [
                .init(
                    "a",
                    [(0, 1), (1, 1), (2, .nan), (3, 2), (4, .infinity), (.nan, 2), (6, 1), (7, 1)])
            ])
        let data = try path(chart)
        #expect(data.split(separator: "M").map { $0.split(separator: "L").count } == [2, 1, 2])
        #expect(data.split(separator: "M")[1].hasSuffix("h0"))
        #expect(picture(chart).elements.filter { $0.name == "circle" }.count == 1)
        #expect(layout(chart).x.range.upperBound < 8)
    }

    @Test("A single point of a line shows as a dot")
    func singlePoint() {
        let chart = LineChart(series: [.init("", [(3, 7)])])
        #expect(picture(chart).elements.filter { $0.name == "circle" }.count == 1)
    }

    static let oddSeries: [(String, [(x: Double, y: Double)])] = [
        ("empty", []), ("one point", [(3, 7)]), ("zero alone", [(0, 0)]),
        ("all equal", [(0, 2), (1, 2), (2, 2)]), ("one column", [(1, 1), (1, 2)]),
        ("huge", [(0, -1e305), (1, 1e299), (2, 1e-300)]),
        ("tiny", [(0, .leastNonzeroMagnitude), (1, .leastNormalMagnitude)]),
        ("offset", [(0, 1e8), (1, 1e8 + 1e-9)]), ("not finite", [(0, .nan), (.infinity, 1)]),
    ]

    @Test("Odd series are drawn, with every coordinate a number", arguments: oddSeries.indices)
    func oddSeriesAreDrawn(_ index: Int) {
        let (name, points) = Self.oddSeries[index]
        for style in LineChart.Series.Style.allCases {
            let picture = picture(
                LineChart(title: name, series: [.init(name, points, style: style)]))
            #expect(picture.isWellFormed)
            #expect(picture.texts.contains(name))
            for element in picture.elements {
                for (attribute, value) in element.attributes where attribute != "class" {
                    #expect(!value.contains("nan") && !value.contains("inf"), "\(element)")
                }
            }
        }
    }

    @Test("A chart without a point says so")
    func noData() {
        #expect(picture(LineChart(series: [.init("a", [(0, .nan)])])).texts.contains("no data"))
    }

    @Test("Texts are escaped, and what XML cannot hold is marked")
    func escaping() {
        let texts = ["a < b && \"c\"", "</text><script>", "x\u{0}y\u{FFFE}", "Лосс 損失 ×"]
        let picture = picture(
            LineChart(
                title: texts[0], xLabel: texts[1], yLabel: texts[2],
                series: [.init(texts[3], [(0, 1), (1, 2)])]))
        #expect(picture.isWellFormed)
        #expect(
            Set(picture.texts).isSuperset(of: [texts[0], texts[1], "x\u{FFFD}y\u{FFFD}", texts[3]]))
        #expect(!picture.elements.contains { $0.name == "script" })
    }

    @Test("The legend lies above the plot, one entry a name, and keeps inside the picture")
    func legendIsAside() {
        let names = ["first", "second", "a very long name indeed", "fourth", "first"]
        let chart = LineChart(
            title: "T", series: names.map { .init($0 + $0 + $0, [(0, 1), (1, 2)]) })
        let layout = layout(chart)
        #expect(layout.legend.entries.map(\.name) == names.prefix(4).map { $0 + $0 + $0 })
        #expect(layout.legend.entries.map(\.row) == [0, 0, 1, 2])
        #expect(layout.plot.top >= 44 + layout.legend.height - 1)
        for entry in layout.legend.entries {
            let end = layout.plot.left + entry.left + Legend.text(entry.label) + 29
            #expect(end <= PanelChart.panelWidth)
        }
    }

    @Test("A name cut in the legend keeps its colour, and is whole in its curve's title")
    func cutNameKeepsColor() throws {
        let long = String(repeating: "a long name ", count: 20)
        let chart = LineChart(
            series: [.init("a", [(0, 1), (1, 1)]), .init(long, [(1, 2), (2, 2)])])
        let entry = layout(chart).legend.entries[1]
        #expect(entry.label.hasSuffix("…"))
        let picture = picture(chart)
        let label = try #require(picture.elements.first { $0.text == entry.label })
        #expect(label.outerClasses.contains("c1"))
        let title = try #require(picture.elements.first { $0.text == long })
        #expect(title.name == "title" && title.outerClasses.contains("c1"))
    }

    @Test("Smoothing keeps the raw line, faint, and its average begins at the first value")
    func smoothing() {
        let series = LineChart.Series.smoothed("a", [(0, 4), (1, .nan), (2, 2)], weight: 0.5)
        #expect(series.map(\.style) == [.faint, .line])
        #expect(series.map(\.name) == ["a", "a"])
        #expect(series[0].points.count == 3)
        // Weights 1/4 and 1/2, divided by their sum: (4/4 + 2/2) / (3/4)
        #expect(series[1].points.map(\.x) == [0, 1, 2])
        #expect(series[1].points[0].y == 4)
        #expect(series[1].points[1].y.isNaN)
        #expect(abs(series[1].points[2].y - 8.0 / 3) < 1e-12)
    }

    @Test("The smoothed line lies over the raw one")
    func faintLine() {
        let series = LineChart.Series.smoothed("a", [(0, 4), (1, 3), (2, 2)])
        let kinds = picture(LineChart(series: series.reversed())).elements.map(\.kind)
        #expect(kinds.filter { ["faint", "line"].contains($0) } == ["faint", "line", "line"])
    }

    @Test("A curve of very many points keeps its extremes and is no large file")
    func manyPoints() throws {
        var points = (0..<200_000).map { (x: Double($0), y: Double($0 % 7) / 7) }
        points[77_777].y = 9
        let chart = LineChart(series: [.init("a", points)])
        let svg = PanelChart([chart]).svg()
        #expect(svg.utf8.count < 100_000)
        let peak = try #require(layout(chart).location(of: points[77_777]))
        #expect(svg.contains("L\(SVGWriter().point(peak.x, peak.y))L"))
    }
}

@Suite struct PanelChartTests {
    @Test("Panels lie side by side and share the colour of a name")
    func panels() {
        let loss = LineChart(series: [
            .init("a", [(0, 1), (1, 1)]), .init("b", [(1, 2), (2, 2)]),
        ])
        let metric = LineChart(series: [.init("b", [(0, 1), (1, 1)])])
        let chart = PanelChart([loss, metric])
        #expect(chart.layouts[0].plot.right < 640 && chart.layouts[1].plot.left > 640)
        let picture = Picture(chart.svg())
        #expect(picture.isWellFormed)
        #expect(picture.elements.first?.attributes["viewBox"] == "0 0 1280 480")
        let curves = picture.elements.filter { $0.name == "title" && $0.text == "b" }
        #expect(curves.map { $0.outerClasses.contains("c1") } == [true, true])
    }

    @Test("The style sheet has every colour for a light ground and for a dark one")
    func grounds() throws {
        let svg = PanelChart([LineChart()]).svg()
        let sheets = svg.components(separatedBy: "@media (prefers-color-scheme: dark)")
        try #require(sheets.count == 2)
        for (index, colors) in Palette.colors.enumerated() {
            #expect(sheets[0].contains(".c\(index) { color: \(colors.light); }"))
            #expect(sheets[1].contains(".c\(index) { color: \(colors.dark); }"))
        }
    }
}
