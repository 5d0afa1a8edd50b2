import Foundation

/// Charts side by side in one picture, such as loss on the left and a metric on the right.
///
/// A series has the same colour in every panel that has one of its name.
public struct PanelChart: Sendable {
    public var charts: [LineChart]

    public init(_ charts: [LineChart]) { self.charts = charts }

    /// The picture as a PNG file; text and lines grow with it.
    ///
    /// - Throws: ``ChartError`` when there is no chart, or a panel is too small to draw.
    public func png(width: Int = 1280, height: Int = 480) throws -> Data {
        let canvas = try draw(width: width, height: height)
        return PNGEncoder.encode(canvas.pixels, width: canvas.width, height: canvas.height)
    }

    func draw(width: Int, height: Int) throws(ChartError) -> Canvas {
        guard !charts.isEmpty else { throw .noPanels }
        try ChartError.check(width: width, height: height, panels: charts.count)
        var canvas = Canvas(width: width, height: height)
        for layout in layouts(width: width, height: height) { layout.draw(on: &canvas) }
        return canvas
    }

    /// Where each chart's parts lie; sizes are those of a panel 640 x 480 at scale 1.
    func layouts(width: Int, height: Int) -> [ChartLayout] {
        let panelWidth = Double(width) / Double(charts.count)
        let scale = max(0.85, min(panelWidth / 640, Double(height) / 480))
        let palette = Palette(names: charts.flatMap { $0.series.map(\.name) })
        return charts.enumerated().map { index, chart in
            let left = panelWidth * Double(index)
            let box = Box(left: left, top: 0, right: left + panelWidth, bottom: Double(height))
            return ChartLayout(chart, in: box, scale: scale, palette: palette)
        }
    }
}

/// The colours of Okabe and Ito (2008), told apart by colour-blind readers, one for each name.
///
/// There are seven; an eighth name has the first one's colour again.
struct Palette: Sendable {
    static let colors: [Color] = [
        0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x444444,
    ].map { Color($0) }

    private var slots: [String: Int] = [:]

    init(names: [String]) {
        for name in names where slots[name] == nil { slots[name] = slots.count }
    }

    func color(of name: String) -> Color {
        Self.colors[(slots[name] ?? 0) % Self.colors.count]
    }
}
