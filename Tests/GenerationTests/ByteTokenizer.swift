import DualTokenization
import Foundation
import TestSupport

extension Tokenizer {
    /// Every byte is a token, with the byte as its id.
    static func ofBytes() throws -> Tokenizer {
        let folder = try TemporaryFolder()
        let alphabet = Array(33...126) + Array(161...172) + Array(174...255)
        var characters = Dictionary(
            uniqueKeysWithValues: alphabet.map { ($0, String(UnicodeScalar(UInt8($0)))) })
        for byte in 0...255 where !alphabet.contains(byte) {
            let scalar = UnicodeScalar(256 + characters.count - 188)
            characters[byte] = scalar.map(String.init) ?? ""
        }
        let vocabulary = Dictionary(uniqueKeysWithValues: characters.map { ($1, $0) })
        let fields: [String: Any] = [
            "model": ["type": "BPE", "vocab": vocabulary, "merges": [String]()],
            "pre_tokenizer": [
                "type": "ByteLevel", "add_prefix_space": false, "use_regex": false,
            ],
            "decoder": ["type": "ByteLevel"],
        ]
        try folder.write(JSONSerialization.data(withJSONObject: fields), to: "tokenizer.json")
        return try Tokenizer.load(from: folder.url)
    }
}
