/// The filters of Jinja and transformers that chat templates use.
enum Filter: String, CaseIterable, Sendable {
    case abs, capitalize, count, d, `default`, dictsort, first, float, int, items, join, last,
        length, list
    case lower, map, reject, rejectattr, replace, reverse, safe, select, selectattr, string
    case title, tojson, trim, upper
}

/// The tests that chat templates use.
enum Test: String, CaseIterable, Sendable {
    case boolean, defined, divisibleby, eq, equalto, even, `false`, float, ge, greaterthan, gt
    case `in`, integer, iterable, le, lessthan, lower, lt, mapping, ne, none, number, odd, sequence
    case string, `true`, undefined, upper
}

/// The functions that every template has.
enum Function: String, CaseIterable, Sendable {
    case dict, namespace, raise_exception, range, strftime_now
}

/// The methods of texts and mappings that chat templates use.
enum Method: String, CaseIterable, Sendable {
    case capitalize, count, endswith, find, get, items, join, keys, lower, lstrip, replace, rsplit
    case rstrip, split, splitlines, startswith, strip, title, upper, values
}

/// What can be asked of `loop` within a loop.
enum LoopField: String, CaseIterable, Sendable {
    case depth, depth0, first, index, index0, last, length, nextitem, previtem, revindex, revindex0
}

extension CaseIterable where Self: RawRepresentable<String> {
    /// As a message lists what there is.
    static var listed: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
