import Foundation

/// A sans serif of single strokes for printable ASCII and a few signs, drawn at any size.
///
/// A glyph is its advance and a path in hundredths of the font size, y upwards from the baseline:
/// `M x y` starts a stroke, `L x y` is a line, `C` a cubic curve, and `A cx cy rx ry from to` an
/// elliptic arc between two angles in degrees. Capitals are 70 high, small letters 50, and the
/// digits share one advance, so columns of numbers line up.
struct StrokeFont: Sendable {
    struct Glyph: Sendable {
        var advance: Double
        var strokes: [[Point]]
    }

    static let standard = StrokeFont(StrokeFont.table)

    /// The height of a capital and the thickness of a stroke, in font sizes.
    static let capHeight = 0.70
    static let weight = 0.088

    private let glyphs: [Character: Glyph]

    private init(_ table: [Character: String]) { glyphs = table.mapValues(Self.glyph) }

    /// The glyph of a character; an open box for one the font lacks.
    func glyph(_ character: Character) -> Glyph {
        glyphs[character] ?? Self.missing
    }

    func has(_ character: Character) -> Bool { glyphs[character] != nil }

    func width(_ text: String, size: Double) -> Double {
        text.reduce(0) { $0 + glyph($1).advance } * size / 100
    }

    /// The strokes of a text whose baseline begins at a point, running right, or upwards.
    func strokes(
        _ text: String, size: Double, at origin: Point, upwards: Bool = false
    ) -> [[Point]] {
        var strokes: [[Point]] = []
        var pen = 0.0
        for character in text {
            let glyph = glyph(character)
            for stroke in glyph.strokes {
                strokes.append(
                    stroke.map { point in
                        let (x, y) = ((pen + point.x) * size / 100, point.y * size / 100)
                        return upwards ? origin + Point(-y, -x) : origin + Point(x, -y)
                    })
            }
            pen += glyph.advance
        }
        return strokes
    }

    /// A text cut to a width, three dots in place of its end.
    func fitted(_ text: String, size: Double, width limit: Double) -> String {
        guard width(text, size: size) > limit else { return text }
        var kept = text
        while !kept.isEmpty, width(kept + "...", size: size) > limit { kept.removeLast() }
        return kept.isEmpty ? "" : kept + "..."
    }

    private static let missing = glyph("56 M 10 0 L 10 70 L 46 70 L 46 0 L 10 0")

    private static func glyph(_ source: String) -> Glyph {
        let words = source.split(separator: " ")
        var glyph = Glyph(advance: words.first.flatMap { Double($0) } ?? 0, strokes: [])
        var stroke: [Point] = []
        var index = 1
        while index < words.count {
            let command = words[index]
            let numbers = words[(index + 1)...].prefix { Double($0) != nil }.compactMap {
                Double($0)
            }
            index += 1 + numbers.count
            if command == "M" {
                if !stroke.isEmpty { glyph.strokes.append(stroke) }
                stroke = []
            }
            stroke += points(command, numbers, after: stroke.last ?? .zero)
        }
        if !stroke.isEmpty { glyph.strokes.append(stroke) }
        return glyph
    }

    private static func points(
        _ command: Substring, _ n: [Double], after start: Point
    ) -> [Point] {
        switch (command, n.count) {
        case ("M", 2), ("L", 2):
            return [Point(n[0], n[1])]
        case ("C", 6):
            let (a, b, end) = (Point(n[0], n[1]), Point(n[2], n[3]), Point(n[4], n[5]))
            return (1...12).map { step in
                let t = Double(step) / 12
                let s = 1 - t
                let inner = 3 * s * s * t * a + 3 * s * t * t * b
                return s * s * s * start + inner + t * t * t * end
            }
        case ("A", 6):
            let steps = max(2, Int(abs(n[5] - n[4]) / 10))
            return (0...steps).map { step in
                let angle = (n[4] + (n[5] - n[4]) * Double(step) / Double(steps)) * .pi / 180
                return Point(n[0] + n[2] * cos(angle), n[1] + n[3] * sin(angle))
            }
        default:
            return []
        }
    }
}
