import Foundation

/// Writes RGB pixels as a PNG file with a palette (ISO/IEC 15948).
enum PNGEncoder {
    static func encode(_ pixels: [UInt8], width: Int, height: Int) -> Data {
        precondition(pixels.count == 3 * width * height, "three bytes a pixel")
        let picture = IndexedPixels(pixels)
        var file = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        let depthAndKind: [UInt8] = [8, 3, 0, 0, 0]
        append("IHDR", bigEndian(width) + bigEndian(height) + depthAndKind, to: &file)
        append("PLTE", picture.palette.flatMap { [$0.red, $0.green, $0.blue] }, to: &file)
        append("IDAT", Deflate.zlib(rows(picture.indices, width: width)), to: &file)
        append("IEND", [], to: &file)
        return file
    }

    /// Each row preceded by its filter, always none: differences of indices mean nothing.
    private static func rows(_ indices: [UInt8], width: Int) -> [UInt8] {
        var rows: [UInt8] = []
        rows.reserveCapacity(indices.count + indices.count / width)
        for start in stride(from: 0, to: indices.count, by: width) {
            rows.append(0)
            rows += indices[start..<start + width]
        }
        return rows
    }

    private static func append(_ type: String, _ content: [UInt8], to file: inout Data) {
        let body = [UInt8](type.utf8) + content
        file.append(contentsOf: bigEndian(content.count))
        file.append(contentsOf: body)
        file.append(contentsOf: bigEndian(Int(crc32(body))))
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { crcTable[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
    }

    private static let crcTable: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in
            crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1
        }
    }
}
