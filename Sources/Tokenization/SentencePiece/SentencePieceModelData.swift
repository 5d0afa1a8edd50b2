import Foundation

/// A BPE model in the format of `sentencepiece` (`sentencepiece_model.proto`), written from its pieces.
package struct SentencePieceModelData {
    /// The enumeration `ModelProto.SentencePiece.Type`.
    package enum Kind: Int, Sendable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    private var bytes: [UInt8] = []

    package init() {}

    package var data: Data { Data(bytes) }

    package mutating func add(piece: String, score: Float, kind: Kind) {
        var message = Message()
        message.set(1, text: piece)
        message.set(2, float: score)
        message.set(3, integer: kind.rawValue)
        append(1, message)
    }

    /// What training settled.
    package mutating func setTraining(
        fallsBackToBytes: Bool, beginning: String?, end: String?, padding: String?
    ) {
        var message = Message()
        message.set(3, integer: SentencePieceFile.Algorithm.bpe.rawValue)
        message.set(35, integer: fallsBackToBytes ? 1 : 0)
        for (number, token) in [(46, beginning), (47, end), (48, padding)] {
            if let token { message.set(number, text: token) }
        }
        append(2, message)
    }

    /// How a text is rewritten: no character but spaces.
    package mutating func setNormalization(addsDummyPrefix: Bool, removesExtraWhitespace: Bool) {
        var message = Message()
        message.set(1, text: "identity")
        message.set(3, integer: addsDummyPrefix ? 1 : 0)
        message.set(4, integer: removesExtraWhitespace ? 1 : 0)
        message.set(5, integer: 1)
        append(3, message)
    }

    private mutating func append(_ number: Int, _ message: Message) {
        var outer = Message()
        outer.set(number, bytes: message.bytes)
        bytes += outer.bytes
    }
}

/// A message of protocol buffers.
private struct Message {
    private(set) var bytes: [UInt8] = []

    mutating func set(_ number: Int, integer: Int) {
        appendVarint(number << 3)
        appendVarint(integer)
    }

    mutating func set(_ number: Int, float: Float) {
        appendVarint(number << 3 | 5)
        withUnsafeBytes(of: float.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func set(_ number: Int, text: String) { set(number, bytes: Array(text.utf8)) }

    mutating func set(_ number: Int, bytes content: [UInt8]) {
        appendVarint(number << 3 | 2)
        appendVarint(content.count)
        bytes += content
    }

    private mutating func appendVarint(_ value: Int) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
