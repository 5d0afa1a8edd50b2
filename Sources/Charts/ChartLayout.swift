/// Where the parts of one chart lie, and how they are drawn.
struct ChartLayout: Sendable {
    private static let ink = Color(0x222222)
    private static let soft = Color(0x555555)
    private static let grid = Color(0xE4E4E4)
    private static let frame = Color(0x888888)

    let chart: LineChart
    let scale: Double
    let palette: Palette
    let x: Axis
    let y: Axis
    /// Where curves are drawn.
    let plot: Box
    let legend: Legend
    private let box: Box

    init(_ chart: LineChart, in box: Box, scale: Double, palette: Palette) {
        (self.chart, self.box, self.scale, self.palette) = (chart, box, scale, palette)
        let points = chart.series.flatMap { Self.shown($0.points, on: chart) }
        x = Axis(
            showing: points.map(\.x), margin: 0.02,
            tickCount: max(2, min(8, Int(box.width / (85 * scale)))))
        y = Axis(
            showing: points.map(\.y), margin: 0.05,
            tickCount: max(2, min(8, Int(box.height / (62 * scale)))),
            isLogarithmic: chart.logarithmicY)
        let tickWidth = y.labels.map { StrokeFont.standard.width($0, size: 12 * scale) }.max() ?? 0
        let left = box.left + tickWidth + (chart.yLabel.isEmpty ? 25 : 47) * scale
        legend = Legend(chart, width: box.right - left - 12 * scale, scale: scale)
        plot = Self.plotBox(chart, in: box, left: left, scale: scale, x: x, legend: legend)
    }

    /// The points of a series that have a place on the axes.
    private static func shown(
        _ points: [(x: Double, y: Double)], on chart: LineChart
    ) -> [(x: Double, y: Double)] {
        points.filter {
            Axis.shows($0.x) && Axis.shows($0.y, isLogarithmic: chart.logarithmicY)
        }
    }

    private static func plotBox(
        _ chart: LineChart, in box: Box, left: Double, scale: Double, x: Axis, legend: Legend
    ) -> Box {
        let lastWidth = StrokeFont.standard.width(x.labels.last ?? "", size: 12 * scale)
        let top = box.top + (chart.title.isEmpty ? 18 : 44) * scale + legend.height
        let bottom = box.bottom - (chart.xLabel.isEmpty ? 34 : 56) * scale
        let right = box.right - max(18 * scale, lastWidth / 2 + 8 * scale)
        // However long the legend, some plot remains.
        return Box(
            left: min(left, right - 40).rounded(), top: min(top, bottom - 40).rounded(),
            right: right.rounded(), bottom: bottom.rounded())
    }

    /// Where a value lies in the picture.
    func place(_ point: (x: Double, y: Double)) -> Point {
        Point(
            plot.left + x.position(point.x) * plot.width,
            plot.bottom - y.position(point.y) * plot.height)
    }

    func draw(on canvas: inout Canvas) {
        drawGrid(on: &canvas)
        for style in [LineChart.Series.Style.faint, .line, .markedLine, .dots] {
            for series in chart.series where series.style == style { draw(series, on: &canvas) }
        }
        drawTitles(on: &canvas)
        legend.draw(on: &canvas, at: Point(plot.left, legendTop), palette: palette)
    }

    private var legendTop: Double {
        box.top + (chart.title.isEmpty ? 14 : 42) * scale
    }

    private func draw(_ series: LineChart.Series, on canvas: inout Canvas) {
        let color = palette.color(of: series.name)
        let points = Self.shown(series.points, on: chart).map(place)
        // A line at the edge of the range keeps its full width.
        let clip = Box(
            left: plot.left - 3 * scale, top: plot.top - 3 * scale,
            right: plot.right + 3 * scale, bottom: plot.bottom + 3 * scale)
        switch series.style {
        case .faint:
            canvas.stroke([points], width: 1.1 * scale, color: color, opacity: 0.3, clip: clip)
        case .line:
            canvas.stroke([points], width: 2 * scale, color: color, clip: clip)
        case .markedLine, .dots:
            if series.style == .markedLine {
                canvas.stroke([points], width: 2 * scale, color: color, clip: clip)
            }
            canvas.stroke(points.map { [$0] }, width: 8 * scale, color: Color(0xFFFFFF))
            canvas.stroke(points.map { [$0] }, width: 6 * scale, color: color)
        }
        if points.count == 1, series.style == .line || series.style == .faint {
            canvas.dot(at: points[0], radius: 3 * scale, color: color)
        }
    }

    private func drawGrid(on canvas: inout Canvas) {
        let hair = max(1, scale.rounded())
        for (tick, label) in zip(y.ticks, y.labels) {
            let height = snapped(plot.bottom - y.position(tick) * plot.height, hair)
            let ends = [Point(plot.left, height), Point(plot.right, height)]
            canvas.stroke([ends], width: hair, color: Self.grid)
            let baseline = height + 12 * scale * StrokeFont.capHeight / 2
            text(label, at: Point(plot.left - 9 * scale, baseline), size: 12, align: 1, on: &canvas)
        }
        for (tick, label) in zip(x.ticks, x.labels) {
            let column = snapped(plot.left + x.position(tick) * plot.width, hair)
            let ends = [Point(column, plot.top), Point(column, plot.bottom)]
            canvas.stroke([ends], width: hair, color: Self.grid)
            let end = Point(column, plot.bottom + 5 * scale)
            canvas.stroke([[Point(column, plot.bottom), end]], width: hair, color: Self.frame)
            let below = plot.bottom + 20 * scale
            text(label, at: Point(column, below), size: 12, align: 0.5, on: &canvas)
        }
        let (left, base) = (snapped(plot.left, hair), snapped(plot.bottom, hair))
        let corner = [Point(left, plot.top), Point(left, base), Point(plot.right, base)]
        canvas.stroke([corner], width: hair, color: Self.frame)
    }

    private func drawTitles(on canvas: inout Canvas) {
        let font = StrokeFont.standard
        let title = font.fitted(
            chart.title, size: 17 * scale, width: box.right - plot.left - 10 * scale)
        text(
            title, at: Point(plot.left, box.top + 31 * scale), size: 17, weight: 0.108,
            color: Self.ink, on: &canvas)
        let xLabel = font.fitted(chart.xLabel, size: 13 * scale, width: plot.width)
        let bottom = box.bottom - 15 * scale
        text(
            xLabel, at: Point((plot.left + plot.right) / 2, bottom), size: 13, align: 0.5,
            color: Self.ink, on: &canvas)
        let yLabel = font.fitted(chart.yLabel, size: 13 * scale, width: plot.height)
        text(
            yLabel, at: Point(box.left + 24 * scale, (plot.top + plot.bottom) / 2), size: 13,
            align: 0.5, color: Self.ink, upwards: true, on: &canvas)
        if chart.series.allSatisfy({ Self.shown($0.points, on: chart).isEmpty }) {
            let middle = Point((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2)
            text("no data", at: middle, size: 14, align: 0.5, on: &canvas)
        }
    }

    /// - Parameter align: the part of the text that lies before the point, from 0 to 1.
    private func text(
        _ text: String, at point: Point, size: Double, align: Double = 0,
        weight: Double = StrokeFont.weight, color: Color = ChartLayout.soft,
        upwards: Bool = false, on canvas: inout Canvas
    ) {
        let font = StrokeFont.standard
        let (size, before) = (size * scale, font.width(text, size: size * scale) * align)
        var origin = point + (upwards ? Point(0, before) : Point(-before, 0))
        // A baseline in the middle of a pixel row keeps the feet of letters sharp.
        if upwards { origin.x = snapped(origin.x, 1) } else { origin.y = snapped(origin.y, 1) }
        canvas.stroke(
            font.strokes(text, size: size, at: origin, upwards: upwards),
            width: max(1.15, size * weight), color: color)
    }

    /// The nearest place where a line of a whole number of pixels has sharp edges.
    private func snapped(_ value: Double, _ width: Double) -> Double {
        Int(width) % 2 == 1 ? value.rounded(.down) + 0.5 : value.rounded()
    }
}
