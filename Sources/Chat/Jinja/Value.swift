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
    /// The name that nothing goes by, of what the template asks for by name.
    var name: String?

    /// What it is to need the value.
    var fault: Fault {
        if let name { Fault(kind: .undefined, text: name) } else { .failed(reason) }
    }
}

/// Jinja's `namespace`: attributes that a template can set anywhere.
final class Namespace {
    var attributes: [String: Value] = [:]
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
            self = .list(try Items(items.map { item throws(Fault) in try Value(item) }))
        case .mapping(let entries):
            let mapping = Mapping()
            for entry in entries { try mapping.set(.string(entry.key), Value(entry.value)) }
            self = .mapping(mapping)
        }
    }
}
