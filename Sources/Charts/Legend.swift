/// The names of a chart's series with a sample of each, in rows above the plot.
struct Legend: Sendable {
    struct Entry: Sendable, Equatable {
        var name: String
        var colorName: String
        /// The name, cut where it is too wide for a row.
        var label: String
        var style: LineChart.Series.Style
        /// Where the sample begins, from the legend's left edge.
        var left: Double
        var row: Int
    }

    static let text = TextWidth(size: 13)
    private static let rowHeight = 21.0
    private static let sampleWidth = 22.0
    /// What an entry takes beside its text.
    private static let overhead = 46.0

    let entries: [Entry]
    let height: Double

    /// One entry a name; a raw line behind its smoothed one needs none of its own. A single
    /// unnamed series has no legend.
    init(_ chart: LineChart, width: Double) {
        var styles: [(name: String, colorName: String, style: LineChart.Series.Style)] = []
        for series in chart.series where !series.name.isEmpty {
            if let index = styles.firstIndex(where: { $0.name == series.name }) {
                if styles[index].style == .faint { styles[index].style = series.style }
            } else {
                styles.append((series.name, series.colorName, series.style))
            }
        }
        var (entries, left, row) = ([Entry](), 0.0, 0)
        for (name, colorName, style) in styles {
            let label = Self.text.fitted(name, width: max(0, width - Self.overhead))
            let entryWidth = Self.overhead + Self.text(label)
            if left > 0, left + entryWidth > width { (left, row) = (0, row + 1) }
            entries.append(
                Entry(
                    name: name, colorName: colorName, label: label, style: style, left: left,
                    row: row))
            left += entryWidth
        }
        self.entries = entries
        height = entries.isEmpty ? 0 : Self.rowHeight * Double(row + 1) + 4
    }

    func draw(on svg: inout SVGWriter, left: Double, top: Double, palette: Palette) {
        for entry in entries {
            let middle = top + (Double(entry.row) + 0.5) * Self.rowHeight
            let start = left + entry.left
            svg.element("g", [("class", palette.colorClass(of: entry.colorName))]) { svg in
                svg.element(
                    "path",
                    [
                        ("class", entry.style.rawValue),
                        (
                            "d",
                            "M\(svg.point(start + 1, middle))h\(svg.number(Self.sampleWidth - 2))"
                        ),
                    ])
                if entry.style.isMarked {
                    svg.dot(start + Self.sampleWidth / 2, middle)
                }
                svg.label(entry.label, "name", x: start + Self.sampleWidth + 7, y: middle + 4.5)
            }
        }
    }
}
