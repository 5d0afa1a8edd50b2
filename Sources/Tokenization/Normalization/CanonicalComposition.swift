import Foundation

/// The second half of NFC and NFKC: the canonical composition algorithm of Unicode, D117.
///
/// It is written out because Foundation's own composition on Linux (Swift 6.3) makes U+00C1 of
/// U+10041 U+0301, as if the first were U+0041, and leaves U+AC00 U+11A8 apart.
enum CanonicalComposition {
    /// Composes a decomposed text, whose marks are in canonical order.
    static func compose(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var starter: Int?
        var previousClass: UInt8 = 0
        for scalar in text {
            let combiningClass = scalar.combiningClass
            if let starter, result.count == starter + 1 || previousClass < combiningClass,
                let composite = composite(result[starter], scalar)
            {
                result[starter] = composite
                continue
            }
            if combiningClass == 0 { starter = result.count }
            previousClass = combiningClass
            result.append(scalar)
        }
        return result
    }

    private static func composite(
        _ first: Unicode.Scalar, _ second: Unicode.Scalar
    ) -> Unicode.Scalar? {
        switch (first.value, second.value) {
        case (0x1100...0x1112, 0x1161...0x1175):  // leading consonant and vowel
            Unicode.Scalar(
                0xAC00 + ((first.value - 0x1100) * 21 + (second.value - 0x1161)) * 28)
        case (0xAC00...0xD7A3, 0x11A8...0x11C2) where (first.value - 0xAC00) % 28 == 0:
            Unicode.Scalar(first.value + second.value - 0x11A7)
        default: primaryComposites[key(first, second)]
        }
    }

    private static func key(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> UInt64 {
        UInt64(first.value) << 32 | UInt64(second.value)
    }

    /// The pairs that compose, from the decompositions of the blocks that have composites.
    /// A composite is excluded from composition when it does not survive normalization to NFC.
    private static let primaryComposites: [UInt64: Unicode.Scalar] = {
        var pairs: [UInt64: Unicode.Scalar] = [:]
        for value in [0xC0...0x33FF, 0x11000...0x115FF].joined() {
            guard let scalar = Unicode.Scalar(UInt32(value)), scalar.isAssigned(byUnicode: 9)
            else { continue }
            let text = String(scalar)
            let scalars = Array(text.decomposedStringWithCanonicalMapping.unicodeScalars)
            guard scalars.count > 1, let last = scalars.last,
                text.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual([scalar])
            else { continue }
            let head = String(scalars: scalars.dropLast()).precomposedStringWithCanonicalMapping
            guard let first = head.unicodeScalars.first, head.unicodeScalars.count == 1
            else { continue }
            pairs[key(first, last)] = scalar
        }
        return pairs
    }()
}
