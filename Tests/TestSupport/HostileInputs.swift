import DualTorch
import Foundation

/// Files with errors in them, the same ones every time.
public struct HostileInputs: RandomNumberGenerator {
    private var state: SplitMix64

    public init(seed: UInt64) { state = SplitMix64(seed: seed) }

    public mutating func next() -> UInt64 { state.next() }

    /// How many inputs a test tries: `HOSTILE_INPUTS`, or fewer in a build that checks everything twice.
    public static var count: Int {
        if let text = ProcessInfo.processInfo.environment["HOSTILE_INPUTS"], let count = Int(text) {
            return count
        }
        #if DEBUG
            return 1500
        #else
            return 20_000
        #endif
    }

    /// JSON values that sizes, flags and names are not expected to have.
    public static let values = [
        "0", "-1", "1", "2", "3", "7", "16", "10000", "2147483647", "2147483648", "4294967296",
        "1000000000", "1000000000000000000", "4611686018427387904", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551615",
        "100000000000000000000000000", "0.5", "-1.5", "2.0", "1e300", "1e-300", "1e999", "true",
        "false", "null", #""""#, #""gelu""#, #""default""#, #""sliding_attention""#, "[]", "[1]",
        #"["full_attention","sliding_attention"]"#, "{}", #"{"0":"a"}"#,
        #"{"rope_type":"linear","factor":1e308}"#,
        #"{"rope_type":"yarn","factor":4,"original_max_position_embeddings":0}"#,
        #"{"rope_type":"yarn","factor":4,"beta_fast":-1,"rope_theta":1}"#,
        #"{"rope_type":"dynamic","factor":1e300}"#,
        #"{"rope_type":"llama3","factor":2,"low_freq_factor":1,"high_freq_factor":1.0000001}"#,
        #"{"full_attention":{"rope_type":"default"}}"#,
    ]

    /// An object of JSON, in which some keys have values of the list.
    public mutating func object(_ fields: [String: String], keys: [String]) -> String {
        var fields = fields
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            guard let key = keys.randomElement(using: &self) else { continue }
            fields[key] = Self.values.randomElement(using: &self)
        }
        return "{" + fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    }

    /// Bytes of which some are other ones, more, or missing.
    public mutating func spoiled(_ bytes: [UInt8], within range: Range<Int>) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let place = Int.random(in: range, using: &self)
            guard place < bytes.count else { continue }
            switch Int.random(in: 0..<6, using: &self) {
            case 0: bytes.remove(at: place)
            case 1: bytes.removeSubrange(place..<min(place + 9, bytes.count))
            case 2: bytes[place] = UInt8.random(in: 0...255, using: &self)
            case 3: bytes.insert(contentsOf: bytes[place..<min(place + 20, bytes.count)], at: place)
            case 4: bytes.insert(contentsOf: Array(repeating: 0x39, count: 18), at: place)
            default:
                bytes[place] = Array(#"{}[]",:-0129.eE\u"#.utf8).randomElement(using: &self) ?? 0
            }
        }
        return bytes
    }
}
