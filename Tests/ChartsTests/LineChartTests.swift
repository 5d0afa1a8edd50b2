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

    @Test("Smoothing keeps the raw line, faint, and both have one colour")
    func smoothing() {
        let series = LineChart.Series.smoothed("a", [(0, 4), (1, .nan), (2, 2)], colorName: "b")
        #expect(series.map(\.style) == [.faint, .line])
        #expect(series.map(\.name) == ["a", "a"])
        #expect(series.map(\.colorName) == ["b", "b"])
        #expect(series[0].points.map(\.y)[0] == 4 && series[0].points.count == 3)
        #expect(series[1].points.map(\.x) == [0, 1, 2])
    }

    @Test("A second quantity has the colour of the first, dashes, dots, and a name of its own")
    func dashedLine() throws {
        let chart = LineChart(series: [
            .init("other", [(0, 1), (1, 2)]), .init("a", [(0, 1), (1, 3)]),
            .init("a on dev", [(0, 2), (1, 4)], style: .dashedLine, colorName: "a"),
        ])
        let picture = picture(chart)
        // One path in the plot, one in the legend.
        #expect(picture.elements("dashedLine", color: "c1").count == 2)
        #expect(picture.elements("line", color: "c1").count == 2)
        #expect(picture.elements.filter { $0.name == "circle" }.count == 3)
        #expect(layout(chart).legend.entries.map(\.name) == ["other", "a", "a on dev"])
    }

    @Test("On a logarithmic axis equal quotients are equally far, and what is not above 0 is a gap")
    func logarithmicAxis() throws {
        let points = [(0.0, 10.0), (1, 100), (2, 0), (3, 1000), (4, -1), (5, 1e-320)]
        let chart = LineChart(yScale: .logarithmic, series: [.init("a", points)])
        let layout = layout(chart)
        let heights = try [10.0, 100, 1000].map { try #require(layout.location(of: (0, $0))).y }
        #expect(abs((heights[0] - heights[1]) - (heights[1] - heights[2])) < 1e-9)
        #expect(layout.location(of: (0, 0)) == nil && layout.location(of: (0, -1)) == nil)
        #expect(layout.y.labels.contains("100"))
        #expect(try path(chart).split(separator: "M").count == 2)
        #expect(picture(LineChart(yScale: .logarithmic)).texts.contains("no data"))
    }

    @Test(
        "An axis that counts begins at 0 and has whole numbers alone",
        arguments: [([6.0], "6"), ([1], "1"), ([0], "0"), ([0, 3], "3"), ([800], "800")])
    func countingAxis(_ steps: [Double], _ label: String) {
        let chart = LineChart(xCounts: true, series: [.init("a", steps.map { ($0, 1) })])
        let axis = layout(chart).x
        #expect(axis.range.lowerBound == 0)
        #expect(axis.labels.first == "0" && axis.labels.contains(label))
        #expect(axis.labels.allSatisfy { Int($0) != nil })
    }

    @Test(
        "What is 0 but for rounding is drawn as 0",
        arguments: [[0.0], [8.8e-16, 8.8e-16], [0, 8.8e-16], [1e-14]])
    func dust(_ values: [Double]) {
        let points = values.enumerated().map { (x: Double($0.offset), y: $0.element) }
        let axis = layout(LineChart(series: [.init("bleu", points)])).y
        #expect(axis.range == 0...1)
        #expect(axis.labels == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
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
