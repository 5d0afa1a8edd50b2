/// The names of a chart's series with a sample of each, in rows above the plot.
struct Legend: Sendable {
    struct Entry: Sendable, Equatable {
        var name: String
        /// The name, cut where it is too wide for a row.
        var label: String
        var style: LineChart.Series.Style
        /// Where the sample begins, from the legend's left edge.
        var left: Double
        var row: Int
    }

    let entries: [Entry]
    let height: Double
    private let scale: Double
    private var fontSize: Double { 13 * scale }
    private var rowHeight: Double { 21 * scale }
    private var sampleWidth: Double { 22 * scale }

    /// One entry a name; a raw line behind its smoothed one needs none of its own. A single
    /// unnamed series has no legend.
    init(_ chart: LineChart, width: Double, scale: Double) {
        self.scale = scale
        var styles: [(name: String, style: LineChart.Series.Style)] = []
        for series in chart.series where !series.name.isEmpty {
            if let index = styles.firstIndex(where: { $0.name == series.name }) {
                if styles[index].style == .faint { styles[index].style = series.style }
            } else {
                styles.append((series.name, series.style))
            }
        }
        let font = StrokeFont.standard
        var (entries, left, row) = ([Entry](), 0.0, 0)
        let overhead = 46 * scale
        for (name, style) in styles {
            let label = font.fitted(name, size: 13 * scale, width: max(0, width - overhead))
            let entryWidth = overhead + font.width(label, size: 13 * scale)
            if left > 0, left + entryWidth > width { (left, row) = (0, row + 1) }
            entries.append(Entry(name: name, label: label, style: style, left: left, row: row))
            left += entryWidth
        }
        self.entries = entries
        height = entries.isEmpty ? 0 : 21 * scale * Double(row + 1) + 4 * scale
    }

    func draw(on canvas: inout Canvas, at origin: Point, palette: Palette) {
        for entry in entries {
            let middle = (origin.y + (Double(entry.row) + 0.5) * rowHeight).rounded() + 0.5
            let left = origin.x + entry.left
            let color = palette.color(of: entry.name)
            let sample = [Point(left + 1, middle), Point(left + sampleWidth - 1, middle)]
            let isFaint = entry.style == .faint
            if entry.style != .dots {
                canvas.stroke(
                    [sample], width: (isFaint ? 1.1 : 2.2) * scale, color: color,
                    opacity: isFaint ? 0.5 : 1)
            }
            if entry.style == .dots || entry.style == .markedLine {
                let center = Point(left + sampleWidth / 2, middle)
                canvas.dot(at: center, radius: 3.2 * scale, color: color)
            }
            let baseline = middle + (fontSize * StrokeFont.capHeight / 2).rounded()
            let strokes = StrokeFont.standard.strokes(
                entry.label, size: fontSize, at: Point(left + sampleWidth + 7 * scale, baseline))
            canvas.stroke(
                strokes, width: max(1.15, fontSize * StrokeFont.weight), color: Color(0x222222))
        }
    }
}
