import DualJSON

/// A value in a file of JSON that must be of one kind, with the path to it for messages.
struct CheckedField {
    private let value: JSONValue
    /// From the outermost key inwards.
    private let path: [String]

    /// The whole of a file.
    init(json: [UInt8]) throws(FieldFault) {
        path = []
        do throws(JSONFault) {
            value = try JSONReader.value(of: json)
        } catch {
            throw FieldFault(path: [], problem: "is not valid JSON: \(error.message)")
        }
    }

    private init(_ value: JSONValue, _ path: [String]) {
        (self.value, self.path) = (value, path)
    }

    func members() throws(FieldFault) -> [(key: String, value: CheckedField)] {
        guard case .object(let object) = value else { throw fault("is not an object") }
        return object.members.map { ($0.key, CheckedField($0.value, path + [$0.key])) }
    }

    func member(_ key: String) throws(FieldFault) -> CheckedField {
        guard case .object(let object) = value else { throw fault("is not an object") }
        guard let member = object[key] else { throw fault("lacks the key '\(key)'") }
        return CheckedField(member, path + [key])
    }

    func text() throws(FieldFault) -> String {
        guard let text = value.text else { throw fault("is not a text") }
        return text
    }

    func integers() throws(FieldFault) -> [Int] {
        guard case .array(let values) = value else { throw fault("is not a list") }
        let integers = values.compactMap { value in
            if case .number(let text) = value { Int(text) } else { nil }
        }
        guard integers.count == values.count else {
            throw fault("is not a list of whole numbers of 64 bits")
        }
        return integers
    }

    private func fault(_ problem: String) -> FieldFault {
        FieldFault(path: path, problem: problem)
    }
}

/// What is wrong with a value of a file of JSON, in one line.
struct FieldFault: Error, CustomStringConvertible {
    fileprivate let path: [String]
    fileprivate let problem: String

    var description: String {
        let names = path.map { "'\($0)'" }.joined(separator: ".")
        return "\(names.isEmpty ? "the whole" : names) \(problem)"
    }
}
