/// A point of the picture in pixels, y downwards.
typealias Point = SIMD2<Double>

struct Color: Equatable, Sendable {
    var red: UInt8
    var green: UInt8
    var blue: UInt8

    init(_ hex: UInt32) {
        red = UInt8(truncatingIfNeeded: hex >> 16)
        green = UInt8(truncatingIfNeeded: hex >> 8)
        blue = UInt8(truncatingIfNeeded: hex)
    }
}

/// A rectangle of the picture, in pixels.
struct Box: Equatable, Sendable {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double

    var width: Double { right - left }
    var height: Double { bottom - top }
}

/// White RGB pixels that anti-aliased strokes are drawn on.
///
/// Everything is a stroke with round ends: text, lines, and dots, which are strokes of no length.
struct Canvas {
    let width: Int
    let height: Int
    private(set) var pixels: [UInt8]
    /// How much of each pixel the stroke being drawn covers; all zero between strokes.
    private var coverage: [Float]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 255, count: 3 * width * height)
        coverage = [Float](repeating: 0, count: width * height)
    }

    var bounds: Box { Box(left: 0, top: 0, right: Double(width), bottom: Double(height)) }

    /// Draws paths as one shape: where they cross, even a see-through colour is laid on once.
    mutating func stroke(
        _ paths: [[Point]], width lineWidth: Double, color: Color, opacity: Double = 1,
        clip: Box? = nil
    ) {
        let pen = Pen(radius: lineWidth / 2, clip: pixelRange(clip ?? bounds), width: width)
        for path in paths {
            guard let first = path.first else { continue }
            if path.count == 1 { pen.cover(from: first, to: first, in: &coverage) }
            for (a, b) in zip(path, path.dropFirst()) { pen.cover(from: a, to: b, in: &coverage) }
        }
        let reach = lineWidth / 2 + 1
        let touched = paths.joined().reduce(into: Box?.none) { box, point in
            let old = box ?? Box(left: point.x, top: point.y, right: point.x, bottom: point.y)
            box = Box(
                left: min(old.left, point.x), top: min(old.top, point.y),
                right: max(old.right, point.x), bottom: max(old.bottom, point.y))
        }
        guard let touched else { return }
        blend(
            Box(
                left: touched.left - reach, top: touched.top - reach,
                right: touched.right + reach, bottom: touched.bottom + reach),
            color: color, opacity: opacity)
    }

    mutating func dot(at center: Point, radius: Double, color: Color, clip: Box? = nil) {
        stroke([[center]], width: 2 * radius, color: color, clip: clip)
    }

    func color(x: Int, y: Int) -> Color {
        let offset = 3 * (y * width + x)
        let (red, green, blue) = (pixels[offset], pixels[offset + 1], pixels[offset + 2])
        return Color(UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue))
    }

    /// Mixes the colour into what the coverage holds, and clears it.
    private mutating func blend(_ box: Box, color: Color, opacity: Double) {
        let range = pixelRange(box)
        let channels = [Float(color.red), Float(color.green), Float(color.blue)]
        for y in range.y {
            for x in range.x {
                let index = y * width + x
                guard coverage[index] > 0 else { continue }
                let share = coverage[index] * Float(opacity)
                coverage[index] = 0
                for channel in 0..<3 {
                    let old = Float(pixels[3 * index + channel])
                    let new = old + (channels[channel] - old) * share
                    pixels[3 * index + channel] = UInt8(new.rounded())
                }
            }
        }
    }

    private func pixelRange(_ box: Box) -> (x: Range<Int>, y: Range<Int>) {
        func clamped(_ low: Double, _ high: Double, _ count: Int) -> Range<Int> {
            let end = Double(count)
            let first = Int(min(max(low.rounded(.down), 0), end))
            return first..<max(first, Int(min(max(high.rounded(.up), 0), end)))
        }
        return (clamped(box.left, box.right, width), clamped(box.top, box.bottom, height))
    }
}

/// Marks the pixels near a segment: wholly inside the stroke, or by the distance to its edge.
private struct Pen {
    let radius: Double
    let clip: (x: Range<Int>, y: Range<Int>)
    let width: Int

    init(radius: Double, clip: (x: Range<Int>, y: Range<Int>), width: Int) {
        (self.radius, self.clip, self.width) = (radius, clip, width)
    }

    func cover(from a: Point, to b: Point, in coverage: inout [Float]) {
        let reach = radius + 0.5
        let along = b - a
        let lengthSquared = max((along * along).sum(), 1e-12)
        for y in pixels(min(a.y, b.y) - reach, max(a.y, b.y) + reach, within: clip.y) {
            let center = Double(y) + 0.5
            let span = span(a, along, center - reach, center + reach)
            for x in pixels(span.low - reach, span.high + reach, within: clip.x) {
                let offset = Point(Double(x) + 0.5, center) - a
                let t = min(1, max(0, (offset * along).sum() / lengthSquared))
                let gap = offset - t * along
                let distance = (gap * gap).sum().squareRoot()
                let share = Float(min(1, reach - distance))
                let index = y * width + x
                if share > coverage[index] { coverage[index] = share }
            }
        }
    }

    /// The columns a segment crosses between two heights.
    private func span(
        _ a: Point, _ along: Point, _ top: Double, _ bottom: Double
    ) -> (low: Double, high: Double) {
        var (start, end) = (0.0, 1.0)
        if abs(along.y) > 1e-9 {
            let (t, u) = ((top - a.y) / along.y, (bottom - a.y) / along.y)
            (start, end) = (max(0, min(1, min(t, u))), max(0, min(1, max(t, u))))
        }
        let (x, z) = (a.x + start * along.x, a.x + end * along.x)
        return (min(x, z), max(x, z))
    }

    private func pixels(_ low: Double, _ high: Double, within range: Range<Int>) -> Range<Int> {
        let first = max(Double(range.lowerBound), low.rounded(.down))
        let last = min(Double(range.upperBound), high.rounded(.up))
        return first < last ? Int(first)..<Int(last) : 0..<0
    }
}
