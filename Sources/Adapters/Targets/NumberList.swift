/// Numbers as a user lists them: `0,2,5-8`.
public struct NumberList: Equatable {
    public let numbers: [Int]

    /// nil for a text that is no such list.
    public init?(_ text: String) {
        var numbers: [Int] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = word.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count < 3,
                0 <= first, first <= last, last < 100_000
            else { return nil }
            numbers += first...last
        }
        self.numbers = numbers
    }
}

extension ValueForm<[Int]> {
    /// Numbers, each once and in their order.
    static var numbers: ValueForm {
        ValueForm(
            parse: parsing("not a list of numbers such as 0,2,5-8") { text in
                NumberList(text).map { Set($0.numbers).sorted() }
            },
            read: { file, key in try file.list(key).map { Set<Int>($0).sorted() } },
            text: { $0.map(String.init).joined(separator: ",") })
    }
}
