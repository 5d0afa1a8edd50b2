/// Makes texts wrong in as many ways as there are seeds, the same ones every time.
public struct Mutator {
    private var random: SeededGenerator
    /// What is put between bytes: words of the language that is read.
    private let words: [[UInt8]]

    public init(seed: UInt64, words: [String]) {
        random = SeededGenerator(state: seed)
        self.words = words.map { Array($0.utf8) }
    }

    /// A text with a change or a few: bytes taken away, repeated, exchanged or turned, words put in.
    public mutating func changed(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        repeat { change(&bytes) } while Bool.random(using: &random)
        return bytes
    }

    /// The same of one of several texts.
    public mutating func changed(oneOf texts: [String]) -> [UInt8] {
        changed(texts.randomElement(using: &random) ?? "")
    }

    /// Words one behind the other.
    public mutating func composed(upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 1...count, using: &random)).flatMap { _ in
            words.randomElement(using: &random) ?? []
        }
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = words.randomElement(using: &random) ?? [0] }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let run = place..<min(bytes.count, place + Int.random(in: 1...12, using: &random))
        switch Int.random(in: 0..<7, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes.removeSubrange(run)
        case 2: bytes.insert(contentsOf: bytes[run], at: place)
        case 3: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        case 4: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        default:
            bytes.insert(contentsOf: words.randomElement(using: &random) ?? [], at: place)
        }
    }
}
