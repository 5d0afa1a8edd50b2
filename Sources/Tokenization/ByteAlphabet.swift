/// GPT-2's spelling of bytes as printable characters, so that a tokenizer of characters can work
/// on bytes (`bytes_to_unicode` of its `encoder.py`).
enum ByteAlphabet {
    /// The character that stands for each byte.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0...0xFF).map { (byte: UInt32) in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                return Unicode.Scalar(UInt8(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? "\u{FFFD}"
            }
        }
    }()

    /// The byte that each character up to U+0143 stands for.
    private static let byteOfScalar: [UInt8?] = {
        var bytes = [UInt8?](repeating: nil, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
        return bytes
    }()

    /// The bytes that a token stands for. A token with any other character, such as an added one,
    /// stands for itself.
    static func bytes(of token: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.utf8.count)
        for scalar in token.unicodeScalars {
            guard scalar.value < byteOfScalar.count,
                let byte = byteOfScalar[Int(scalar.value)]
            else { return Array(token.utf8) }
            bytes.append(byte)
        }
        return bytes
    }

    /// Appends the characters that stand for the UTF-8 bytes of a scalar.
    @inline(__always)
    static func append(
        _ scalar: Unicode.Scalar, to result: inout [Unicode.Scalar], _ alphabet: [Unicode.Scalar]
    ) {
        if scalar.value < 0x80 {
            result.append(alphabet[Int(scalar.value)])
        } else {
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                result.append(alphabet[Int(byte)])
            }
        }
    }
}
