import Testing

@testable import DualCharts

@Suite struct StrokeFontTests {
    let font = StrokeFont.standard

    @Test("Every printable ASCII character has a glyph inside its advance and line")
    func everyCharacter() {
        for scalar in (32...126).compactMap({ UnicodeScalar($0) }) {
            let character = Character(scalar)
            #expect(font.has(character), "\(character)")
            let glyph = font.glyph(character)
            #expect(glyph.advance > 0)
            #expect(glyph.strokes.isEmpty == (character == " "), "\(character)")
            for point in glyph.strokes.joined() {
                #expect(point.x >= -1 && point.x <= glyph.advance, "\(character)")
                #expect(point.y >= -21 && point.y <= 79, "\(character)")
            }
        }
    }

    @Test("Digits share one advance, so numbers line up")
    func digitsAreTabular() {
        #expect(Set("0123456789".map { font.glyph($0).advance }).count == 1)
    }

    @Test("No two characters look the same")
    func glyphsDiffer() {
        let shapes = (33...126).compactMap { UnicodeScalar($0) }.map { scalar in
            font.glyph(Character(scalar)).strokes
        }
        for (index, shape) in shapes.enumerated() {
            #expect(!shapes[..<index].contains(shape))
        }
    }

    @Test("A text too wide is cut and ends in dots; one that fits is left alone")
    func fitting() {
        let text = "a name that goes on and on"
        #expect(font.fitted(text, size: 12, width: 1000) == text)
        let cut = font.fitted(text, size: 12, width: 80)
        #expect(cut.hasSuffix("..."))
        #expect(font.width(cut, size: 12) <= 80)
        #expect(font.fitted(text, size: 12, width: 3).isEmpty)
    }

    @Test("A character the font lacks is drawn as a box, not dropped")
    func missingCharacter() {
        #expect(!font.has("界"))
        #expect(font.glyph("界").strokes.count == 1)
    }
}
