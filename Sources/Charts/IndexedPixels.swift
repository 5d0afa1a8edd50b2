/// Pixels as indices into a palette of at most 256 colours.
///
/// A chart has few colours apart from the blends at the edges of its strokes. Where those are
/// too many, the most frequent stay exact and the others take the nearest, which no eye can tell.
struct IndexedPixels {
    private(set) var palette: [Color] = []
    private(set) var indices: [UInt8] = []

    init(_ pixels: [UInt8]) {
        let values = stride(from: 0, to: pixels.count - 2, by: 3).map { offset -> UInt32 in
            let (red, green) = (UInt32(pixels[offset]), UInt32(pixels[offset + 1]))
            return red << 16 | green << 8 | UInt32(pixels[offset + 2])
        }
        let counts = Self.counts(values)
        let chosen = counts.count <= 256 ? Self.byFrequency(counts) : Self.mostTelling(counts)
        palette = chosen.map { Color($0) }
        var slots: [UInt32: UInt8] = [:]
        for value in counts.keys { slots[value] = Self.nearest(to: value, in: palette) }
        indices.reserveCapacity(values.count)
        var (last, slot) = (UInt32.max, UInt8(0))
        for value in values {
            if value != last { (last, slot) = (value, slots[value] ?? 0) }
            indices.append(slot)
        }
    }

    private static func counts(_ values: [UInt32]) -> [UInt32: Int] {
        var counts: [UInt32: Int] = [:]
        var start = 0
        for end in 1...max(1, values.count) where end <= values.count {
            if end == values.count || values[end] != values[start] {
                counts[values[start], default: 0] += end - start
                start = end
            }
        }
        return counts
    }

    private static func byFrequency(_ counts: [UInt32: Int]) -> [UInt32] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    }

    /// The commonest colour of each of the 256 commonest cells of the colour cube.
    private static func mostTelling(_ counts: [UInt32: Int]) -> [UInt32] {
        var cells: [UInt32: (total: Int, color: UInt32)] = [:]
        for color in byFrequency(counts) {
            let cell = color & 0xF0_F0F0
            let old = cells[cell] ?? (0, color)
            cells[cell] = (old.total + counts[color, default: 0], old.color)
        }
        let ranked = cells.values.sorted { ($1.total, $0.color) < ($0.total, $1.color) }
        return ranked.prefix(256).map(\.color)
    }

    private static func nearest(to value: UInt32, in palette: [Color]) -> UInt8 {
        let color = Color(value)
        var best = (distance: Int.max, index: 0)
        for (index, candidate) in palette.enumerated() {
            let red = Int(color.red) - Int(candidate.red)
            let green = Int(color.green) - Int(candidate.green)
            let blue = Int(color.blue) - Int(candidate.blue)
            let distance = red * red + green * green + blue * blue
            if distance < best.distance { best = (distance, index) }
            if distance == 0 { break }
        }
        return UInt8(best.index)
    }
}
