import Foundation
import Testing

@testable import DualTraining

/// Tokens of large data sets stand in a file.
@Suite struct TokenStoreTests {
    private static func words(_ number: Int) -> [UInt32] {
        (0..<(number % 97) * 700).map { UInt32(truncatingIfNeeded: number &* 2_654_435_761 &+ $0) }
    }

    @Test(
        "Words are read as they came in, from memory and from the file",
        arguments: [0, 1, 4, 1000])
    func order(_ piecesInMemory: Int) {
        var store = TokenStore(piecesInMemory: piecesInMemory)
        let starts = (0..<200).map { store.append(Self.words($0)) }
        for number in starts.indices.shuffled() {
            let words = Self.words(number)
            #expect(Array(store.words(at: starts[number], count: words.count)) == words)
        }
    }

    @Test("A copy that goes on by itself leaves the other's words as they are")
    func copies() {
        var first = TokenStore(piecesInMemory: 0)
        var starts = (0..<80).map { first.append(Self.words($0)) }
        var second = first
        var others = starts
        for number in 80..<160 {
            starts.append(first.append(Self.words(number)))
            others.append(second.append(Self.words(number + 1000)))
        }
        for number in 0..<160 {
            let words = Self.words(number)
            #expect(Array(first.words(at: starts[number], count: words.count)) == words)
            let other = Self.words(number < 80 ? number : number + 1000)
            #expect(Array(second.words(at: others[number], count: other.count)) == other)
        }
    }

    @Test("A temporary file has no name, and takes what is read again")
    func file() throws {
        let before = try Self.names()
        let file = try #require(TemporaryFile())
        #expect(try Self.names().subtracting(before).isEmpty)
        #expect(file.append([1, 2, 3]) == 0)
        #expect(file.append([4, 5]) == 3)
        #expect(file.words(at: 1, count: 4) == [2, 3, 4, 5])
        #expect(file.words(at: 5, count: 0) == [])
    }

    private static func names() throws -> Set<String> {
        let folder = FileManager.default.temporaryDirectory.path
        return Set(
            try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                $0.hasPrefix("duallora-tokens-")
            })
    }
}
