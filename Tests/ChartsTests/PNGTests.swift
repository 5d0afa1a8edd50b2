import Foundation
import Testing

@testable import DualCharts

/// A PNG taken apart again: chunks by name, and the pixels behind its palette.
struct DecodedPNG {
    enum Failure: Error { case notAPNG }

    var width = 0
    var height = 0
    var pixels: [Color] = []

    init(_ data: Data) throws {
        let bytes = [UInt8](data)
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
            throw Failure.notAPNG
        }
        var (chunks, names) = ([String: [UInt8]](), [String]())
        var position = 8
        while position < bytes.count {
            let length = Self.number(bytes[position..<position + 4])
            let body = Array(bytes[(position + 4)..<(position + 8 + length)])
            let checksum = Self.number(bytes[(position + 8 + length)..<(position + 12 + length)])
            guard Int(PNGEncoder.crc32(body)) == checksum else { throw Failure.notAPNG }
            let name = String(decoding: body.prefix(4), as: UTF8.self)
            names.append(name)
            chunks[name] = Array(body.dropFirst(4))
            position += 12 + length
        }
        guard names == ["IHDR", "PLTE", "IDAT", "IEND"], let header = chunks["IHDR"],
            let palette = chunks["PLTE"], let stream = chunks["IDAT"],
            Array(header[8...]) == [8, 3, 0, 0, 0]
        else { throw Failure.notAPNG }
        (width, height) = (Self.number(header[0..<4]), Self.number(header[4..<8]))
        let rows = try Inflate.zlib(stream)
        guard rows.count == height * (width + 1) else { throw Failure.notAPNG }
        for (index, value) in rows.enumerated() where index % (width + 1) > 0 {
            pixels.append(
                Color(UInt32(Self.number(palette[(3 * Int(value))..<(3 * Int(value) + 3)]))))
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }
}

@Suite struct PNGTests {
    @Test("A picture of few colours is stored exactly")
    func exact() throws {
        let pixels = (0..<3600).map { index -> UInt8 in UInt8((index / 7 * 31) % 6) * 40 }
        let decoded = try DecodedPNG(PNGEncoder.encode(pixels, width: 40, height: 30))
        #expect(decoded.width == 40 && decoded.height == 30)
        #expect(decoded.pixels.flatMap { [$0.red, $0.green, $0.blue] } == pixels)
    }

    @Test("In a picture of many colours, the frequent stay exact and no other moves far")
    func approximate() throws {
        // A band of one colour, and 1,200 shades between white and a blue below it.
        var pixels = [UInt8]()
        for _ in 0..<400 { pixels += [0xD5, 0x5E, 0x00] }
        for shade in 0..<1200 {
            let blend = Double(shade) / 1199
            pixels += [UInt8(255 - 255 * blend), UInt8(255 - 141 * blend), UInt8(255 - 77 * blend)]
            pixels[pixels.count - 1] ^= UInt8(shade % 4)
        }
        let decoded = try DecodedPNG(PNGEncoder.encode(pixels, width: 40, height: 40))
        let found = decoded.pixels.flatMap { [$0.red, $0.green, $0.blue] }
        #expect(Array(found.prefix(1200)) == Array(pixels.prefix(1200)))
        #expect(zip(found, pixels).allSatisfy { abs(Int($0) - Int($1)) <= 16 })
    }

    @Test("A typical chart takes less than 60 KB and decodes to its size")
    func typicalSize() throws {
        let points = (0..<800).map { step in
            let x = Double(step)
            return (x: x, y: 0.3 + 2 * exp(-x / 150) + 0.1 * sin(x * x))
        }
        let chart = LineChart(
            title: "Training loss", xLabel: "step", yLabel: "loss",
            series: LineChart.Series.smoothed("LoRA", points)
                + LineChart.Series.smoothed("DoRA", points.map { ($0.x, $0.y * 1.2) }))
        let data = try chart.png()
        #expect(data.count < 60_000)
        let decoded = try DecodedPNG(data)
        #expect(decoded.width == 960 && decoded.height == 540)
    }
}
