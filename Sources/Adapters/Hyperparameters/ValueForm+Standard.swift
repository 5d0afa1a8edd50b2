import DualModules
import Foundation

/// Ranks beyond the size of any layer are slips, and their products would not fit a number.
let ranks = 1...65_536

extension ValueForm<Int> {
    /// A whole number; files are not held to the bound.
    public static func integer(atLeast least: Int = .min) -> ValueForm {
        ValueForm(
            parse: parsing("not a whole number") { Int($0) }, read: { try $0.integer($1) }
        ).refusing { value in
            if value >= least { return nil }
            return least == 0 ? "\(value) is negative" : "\(value) is less than \(least)"
        }
    }

    /// A rank, or another size: from 1 to 65,536.
    public static var rank: ValueForm {
        integer().refusing {
            ranks ~= $0
                ? nil : "\($0) is not a rank; it must be from 1 to \(ranks.upperBound)"
        }.inFiles({ $0 }, read: { try $0.rank($1) })
    }
}

extension ValueForm<Double> {
    /// Any number, written without a point if it is whole; of a file one that float32 holds.
    public static var number: ValueForm {
        ValueForm(
            parse: parsing("not a number") { Double($0) },
            read: { file, key in
                let value = try file.number(key)
                guard let value, value.magnitude > Double(Float.greatestFiniteMagnitude) else {
                    return value
                }
                throw file.bad(key, found: "\(value)", expected: "a number that float32 holds")
            }, field: \.asIntegerIfWhole)
    }

    /// Greater than 0; of a file any number is taken.
    public static var positive: ValueForm {
        number.refusing { $0.isFinite && $0 > 0 ? nil : "\($0) is not greater than 0" }
    }

    /// At least 0 and less than 1.
    public static var probability: ValueForm {
        number.refusing {
            $0 >= 0 && $0 < 1 ? nil : "\($0) is not a probability from 0 to less than 1"
        }.inFiles({ $0 }) { file, key in
            try file.fields[key] == nil ? nil : file.probability(key, default: 0)
        }
    }
}

extension ValueForm<Bool> {
    public static var flag: ValueForm {
        ValueForm(parse: parsing("not true or false") { Bool($0) }, read: { try $0.flag($1) })
    }
}

extension ValueForm<String> {
    public static var text: ValueForm { ValueForm(parse: { $0 }, read: { try $0.text($1) }) }
}

extension ValueForm where Value: RawRepresentable<String> & CaseIterable & Sendable {
    /// One of some words.
    public static var choice: ValueForm { oneOf(\.rawValue) }
}

extension ValueForm where Value: RawRepresentable<Int> & CaseIterable & Sendable {
    /// One of some numbers.
    static var numbered: ValueForm {
        oneOf { "\($0.rawValue)" }.inFiles(\.rawValue) { file, key in
            guard let number = try file.integer(key) else { return nil }
            guard let value = Value(rawValue: number) else {
                let known = Value.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
                throw file.bad(key, found: "\(number)", expected: "one of \(known)")
            }
            return value
        }
    }
}

extension ValueForm where Value: CaseIterable & Sendable {
    /// One of some words, each the name of a case.
    public static func oneOf(_ name: @escaping @Sendable (Value) -> String) -> ValueForm {
        let names = Value.allCases.map(name).joined(separator: ", ")
        return spelled(
            name, refusal: "none of \(names)", expected: "one of \(names)"
        ) { text in Value.allCases.first { name($0) == text } }
    }

    /// The same with other words in files.
    func namedInFiles(_ name: @escaping @Sendable (Value) -> String) -> ValueForm {
        inFiles(name, read: ValueForm.oneOf(name).read)
    }
}

extension ValueForm {
    /// Reads an option's text.
    /// - Parameters:
    ///   - refusal: what a text is that means nothing: "not a number".
    ///   - value: of a text; nil where it means nothing.
    static func parsing(
        _ refusal: String, _ value: @escaping @Sendable (String) -> Value?
    ) -> @Sendable (String) throws -> Value {
        { text in
            guard let value = value(text) else {
                throw BadOptionValue("'\(text)' is \(refusal)")
            }
            return value
        }
    }

    /// A text that means something, the same in options and in files.
    /// - Parameters:
    ///   - refusal: what an option's text is that means nothing: "not like f1+l1".
    ///   - expected: what a file should have: "like f1+l1".
    ///   - value: of a text; nil where it means nothing.
    static func spelled(
        _ text: @escaping @Sendable (Value) -> String, refusal: String, expected: String,
        value: @escaping @Sendable (String) -> Value?
    ) -> ValueForm {
        ValueForm(
            parse: parsing(refusal, value),
            read: { file, key in
                guard let text = try file.text(key) else { return nil }
                guard let value = value(text) else {
                    throw file.bad(key, found: text, expected: expected)
                }
                return value
            }, text: text, field: text)
    }
}

extension ValueForm {
    /// A value, or none.
    /// - Parameters:
    ///   - word: an option's word for none; nil where an option then says nothing.
    ///   - fieldWord: a file's word for none; nil for JSON's null.
    public static func optional<Wrapped>(
        _ form: ValueForm<Wrapped>, none word: String? = nil, inFiles fieldWord: String? = nil
    ) -> ValueForm where Value == Wrapped? {
        ValueForm(
            parse: { $0 == word ? nil : try form.parse($0) },
            read: { file, key in
                if let fieldWord, file.fields[key] as? String == fieldWord { return .some(nil) }
                return try form.read(file, key).map(Optional.some)
            }, text: { $0.map(form.text) ?? word },
            field: { $0.map(form.field) ?? fieldWord as Any? ?? NSNull() })
    }
}
