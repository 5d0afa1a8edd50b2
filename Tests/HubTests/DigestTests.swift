import Foundation
import Testing

@testable import DualHub

/// Messages and digests of FIPS 180-4's examples (NIST, "Cryptographic Standards and Guidelines:
/// Examples with Intermediate Values"), and the empty message.
@Suite struct DigestTests {
    struct Example: Sendable {
        let message: Data
        let sha1: String
        let sha256: String

        static let all = [
            Example(
                message: Data(), sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            Example(
                message: Data("abc".utf8), sha1: "a9993e364706816aba3e25717850c26c9cd0d89d",
                sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            Example(
                message: Data("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
                sha1: "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
                sha256: "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
            Example(
                message: Data(repeating: UInt8(ascii: "a"), count: 1_000_000),
                sha1: "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
                sha256: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ]
    }

    @Test("Digests are those that the standard gives", arguments: Example.all)
    func standard(_ example: Example) {
        var (first, second) = (SHA1(), SHA256())
        example.message.withUnsafeBytes { bytes in
            first.update(bytes)
            second.update(bytes)
        }
        #expect(first.finish() == example.sha1)
        #expect(second.finish() == example.sha256)
    }

    @Test("A digest does not depend on the pieces in which the bytes come")
    func pieces() {
        let message = noise(5000, seed: 3)
        for size in [1, 3, 55, 56, 63, 64, 65, 127, 128, 1000, 4999] {
            var (first, second) = (SHA1(), SHA256())
            message.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let piece = UnsafeRawBufferPointer(
                        rebasing: bytes[start..<min(bytes.count, start + size)])
                    first.update(piece)
                    second.update(piece)
                }
            }
            var whole = SHA1()
            message.withUnsafeBytes { whole.update($0) }
            #expect(first.finish() == whole.finish(), "pieces of \(size)")
            #expect(second.finish() == LoopbackHub.sha256(message), "pieces of \(size)")
        }
    }

    @Test("A file's git hash is what git calls the blob")
    func gitHash() {
        // printf 'hello\n' | git hash-object --stdin
        #expect(
            LoopbackHub.gitHash(Data("hello\n".utf8)) == "ce013625030ba8dba906f756967f9e9ca394464a")
    }
}
