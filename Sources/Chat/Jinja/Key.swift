/// A value as the key of a mapping: equal for equal values, as 1, 1.0 and True are.
enum Key: Hashable {
    case none
    case undefined
    case integer(Int)
    case number(Double)
    /// UTF-8: Python tells characters apart that are canonically equivalent.
    case string([UInt8])
    case tuple([Key])
    case range([Int])

    init(_ value: Value) throws(Fault) {
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .bool(let bool): self = .integer(bool ? 1 : 0)
        case .integer(let integer): self = .integer(integer)
        case .number(let number):
            self = Int(exactly: number).map { .integer($0) } ?? .number(number)
        case .string(let text), .markup(let text): self = .string(Array(text.utf8))
        case .tuple(let items):
            self = .tuple(try items.values.map { item throws(Fault) in try Key(item) })
        case .range(let range): self = .range(range.identity)
        default: throw .failed("unhashable type: '\(value.typeName)'")
        }
    }
}
