/// A value while a template runs, with Python's types.
enum Value {
    case undefined(Missing)
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    /// Text that `safe` marks: it may be printed and joined, and nothing else.
    case markup(String)
    case list(Items)
    case tuple(Items)
    case mapping(Mapping)
    case range(PythonRange)
    case view(MappingView)
    case iterator(ValueIterator)
    case namespace(Namespace)
    case loop(LoopState)
    case macro(Macro)
    case function(Function)
    case method(BoundMethod)
}

/// Why there is no value.
struct Missing {
    let reason: String
}

/// The items of a list or a tuple, neither of which ever changes.
struct Items {
    let values: [Value]
    /// How deep values lie within values.
    let depth: Int

    init(_ values: [Value]) throws(Fault) {
        self.values = values
        depth = try Value.depth(over: values)
    }

    /// Some of another's items.
    init(_ values: [Value], of other: Items) {
        self.values = values
        depth = other.depth
    }
}

/// Python's `dict`, in the order in which keys came.
final class Mapping {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    private var places: [Key: Int] = [:]
    private(set) var depth = 1

    init() {}

    init(_ entries: [(Value, Value)]) throws(Fault) {
        for (key, value) in entries { try set(key, value) }
    }

    /// Only while the mapping is made: a template cannot change one.
    func set(_ key: Value, _ value: Value) throws(Fault) {
        let hashed = try Key(key)
        if let place = places[hashed] {
            values[place] = value
        } else {
            places[hashed] = keys.count
            keys.append(key)
            values.append(value)
        }
        depth = max(depth, try Value.depth(over: [key, value]))
    }

    subscript(_ key: Key) -> Value? { places[key].map { values[$0] } }

    var count: Int { keys.count }

    var pairs: [Value] {
        get throws(Fault) {
            var pairs: [Value] = []
            for (key, value) in zip(keys, values) { pairs.append(.tuple(try Items([key, value]))) }
            return pairs
        }
    }
}

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
            var keys: [Key] = []
            for item in items.values { keys.append(try Key(item)) }
            self = .tuple(keys)
        case .range(let range): self = .range(range.identity)
        default: throw .failed("unhashable type: '\(value.typeName)'")
        }
    }
}

/// Python's `range`.
struct PythonRange {
    let start, stop, step: Int

    /// The sandbox's limit.
    static let maximumCount = 100_000

    init(start: Int, stop: Int, step: Int) throws(Fault) {
        guard step != 0 else { throw .failed("range() arg 3 must not be zero") }
        (self.start, self.stop, self.step) = (start, stop, step)
        // Doubles are exact enough to see that a count is beyond the limit.
        let steps = (Double(stop) - Double(start)) / Double(step)
        guard steps <= Double(Self.maximumCount) else {
            throw .limit("the template asks for a range of more than \(Self.maximumCount) numbers")
        }
    }

    /// Python's `len`.
    var count: Int {
        let (lower, upper) = step > 0 ? (start, stop) : (stop, start)
        guard lower < upper else { return 0 }
        // The distance of far bounds does not fit an Int.
        let distance = UInt(bitPattern: upper &- lower)
        return Int((distance - 1) / step.magnitude) + 1
    }

    var values: [Value] { (0..<count).map(value) }

    /// The number at a place below ``count``, however large the product with the step.
    func value(at place: Int) -> Value { .integer(start &+ place &* step) }

    /// The same for ranges of the same numbers.
    var identity: [Int] {
        switch count {
        case 0: []
        case 1: [start]
        default: [start, step, count]
        }
    }
}

/// What `keys()`, `values()` and `items()` of a mapping give.
struct MappingView {
    let mapping: Mapping
    let method: Method

    var values: [Value] {
        get throws(Fault) {
            switch method {
            case .keys: mapping.keys
            case .values: mapping.values
            default: try mapping.pairs
            }
        }
    }
}

/// A source of values that can be gone through once, as Python's generators.
final class ValueIterator {
    private let pull: () throws(Fault) -> Value?
    let depth: Int

    init(depth: Int, _ pull: @escaping () throws(Fault) -> Value?) throws(Fault) {
        self.depth = depth + 1
        self.pull = pull
        try Value.check(depth: self.depth)
    }

    func next() throws(Fault) -> Value? { try pull() }
}

/// Jinja's `namespace`: attributes that a template can set anywhere.
final class Namespace {
    var attributes: [String: Value] = [:]
}

/// A macro, with the variables where it stands.
final class Macro {
    let definition: MacroDefinition
    /// Taken away when the template is done, for the variables hold the macro.
    var scope: Scope?

    init(_ definition: MacroDefinition, _ scope: Scope) {
        self.definition = definition
        self.scope = scope
    }
}

/// A method of a value, which is there only to be called.
final class BoundMethod {
    let receiver: Value
    let name: String

    init(_ receiver: Value, _ name: String) {
        self.receiver = receiver
        self.name = name
    }
}

extension Value {
    /// Deeper values exhaust those who go through them.
    private static let maximumDepth = 100

    static func check(depth: Int) throws(Fault) {
        guard depth <= maximumDepth else {
            throw .limit("values lie more than \(maximumDepth) deep within one another")
        }
    }

    static func depth(over values: [Value]) throws(Fault) -> Int {
        let depth = 1 + (values.lazy.map(\.depth).max() ?? 0)
        try check(depth: depth)
        return depth
    }

    var depth: Int {
        switch self {
        case .list(let items), .tuple(let items): items.depth
        case .mapping(let mapping): mapping.depth
        case .view(let view): view.mapping.depth + 1
        case .iterator(let iterator): iterator.depth
        case .method(let method): method.receiver.depth + 1
        default: 0
        }
    }

    /// The name of the type in Python, for messages.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .integer: "int"
        case .number: "float"
        case .string: "str"
        case .markup: "Markup"
        case .list: "list"
        case .tuple: "tuple"
        case .mapping: "dict"
        case .range: "range"
        case .view(let view): "dict_\(view.method.rawValue)"
        case .iterator: "generator"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .macro: "Macro"
        case .function: "function"
        case .method: "method"
        }
    }

    /// Python's truth value.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let bool): bool
        case .integer(let integer): integer != 0
        case .number(let number): number != 0
        case .string(let text), .markup(let text): !text.isEmpty
        case .list(let items), .tuple(let items): !items.values.isEmpty
        case .mapping(let mapping): mapping.count > 0
        case .view(let view): view.mapping.count > 0
        case .range(let range): range.step > 0 ? range.start < range.stop : range.start > range.stop
        case .iterator, .namespace, .loop, .macro, .function, .method: true
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { true } else { false }
    }

    /// The text of a string.
    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A whole number; truth values count as 0 and 1.
    var integer: Int? {
        switch self {
        case .bool(let bool): bool ? 1 : 0
        case .integer(let integer): integer
        default: nil
        }
    }

    static func undefined(_ reason: String) -> Value { .undefined(Missing(reason: reason)) }

    init(_ value: TemplateValue) throws(Fault) {
        switch value {
        case .none: self = .none
        case .bool(let bool): self = .bool(bool)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = .number(number)
        case .string(let text): self = .string(text)
        case .list(let items):
            var values: [Value] = []
            for item in items { values.append(try Value(item)) }
            self = .list(try Items(values))
        case .mapping(let entries):
            let mapping = Mapping()
            for entry in entries { try mapping.set(.string(entry.key), Value(entry.value)) }
            self = .mapping(mapping)
        }
    }
}
