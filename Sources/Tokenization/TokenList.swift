/// Tokens in their order, as bytes of UTF-8 one behind the other: a vocabulary of a hundred
/// thousand tokens is read without a `String` for each.
struct TokenList: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where the bytes of each token end.
    private(set) var ends: [Int] = []

    var count: Int { ends.count }

    func range(of index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    func token(at index: Int) -> String {
        String(decoding: bytes[range(of: index)], as: UTF8.self)
    }

    mutating func append(_ token: some Collection<UInt8>) {
        bytes.append(contentsOf: token)
        ends.append(bytes.count)
    }
}
