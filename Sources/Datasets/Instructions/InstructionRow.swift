import DualChat
import DualJSON

/// A row of a file as it stands: its fields by their keys.
struct InstructionRow {
    let path: String
    let line: Int
    let values: JSONObject
    let fields: InstructionFields

    /// The row as an example.
    /// - Throws: ``InstructionDataError``.
    func example(_ format: InstructionFormat) throws(InstructionDataError) -> InstructionExample {
        switch format {
        case .text: return .text(try text(.text))
        case .chat: return try conversation()
        case .alpaca: return .instruction(try instruction())
        case .completion:
            if case .array? = value(.prompt)?.value {
                return try splitConversation()
            }
            return .completion(
                prompt: try text(.prompt, mayBeEmpty: true), completion: try text(.completion))
        }
    }

    /// The form whose keys the row has.
    /// - Throws: ``InstructionDataError/unknownFormat(path:line:keys:)``.
    func format() throws(InstructionDataError) -> InstructionFormat {
        let order: [InstructionFormat] = [.chat, .completion, .alpaca, .text]
        // A key that the user names says more than one that happens to be there.
        let ranked = order.sorted { namesGiven($0) > namesGiven($1) }
        if let format = ranked.first(where: { $0.required.allSatisfy { value($0) != nil } }) {
            return format
        }
        throw .unknownFormat(path: path, line: line, keys: values.keys)
    }

    /// A value that may come as the text of it in JSON, as in a column of a table.
    func parsed(
        _ value: JSONValue, _ key: String, as expected: String
    ) throws(InstructionDataError) -> JSONValue {
        guard case .string(let text) = value else { return value }
        guard let inside = try? JSONReader.value(of: Array(text.utf8)) else {
            throw wrong(key, value, expected)
        }
        return inside
    }

    private func namesGiven(_ format: InstructionFormat) -> Int {
        format.required.filter(fields.isGiven).count
    }

    private func instruction() throws(InstructionDataError) -> Instruction {
        Instruction(
            instruction: try text(.instruction),
            input: try optionalText(.input) ?? "", output: try text(.output),
            system: try optionalText(.system), history: try history(),
            variables: try variables(otherKeys: []))
    }

    /// The pairs of a question and its answer that come before the instruction, as LLaMA-Factory has
    /// them.
    private func history() throws(InstructionDataError) -> [Instruction.Exchange] {
        guard let (key, value) = value(.history), !value.saysNothing else { return [] }
        let pairs = "a list of pairs [question, answer]"
        guard case .array(let exchanges) = try parsed(value, key, as: pairs) else {
            throw wrong(key, value, pairs)
        }
        return try exchanges.enumerated().map { (index, exchange) throws(InstructionDataError) in
            guard case .array(let texts) = exchange, texts.count == 2,
                let question = texts[0].text, let answer = texts[1].text
            else {
                throw wrong("\(key)[\(index)]", exchange, "a pair of texts, [question, answer]")
            }
            return Instruction.Exchange(question: question, answer: answer)
        }
    }

    /// The keys that say something and are not read.
    func unusedKeys(_ format: InstructionFormat) -> [String] {
        // A prompt in words has no template to be told anything.
        let isText = format == .completion && value(.prompt)?.value.text != nil
        let read = (isText ? format.required : format.read).compactMap { value($0)?.key }
        let others = isText ? [] : format.otherKeys
        return values.members.lazy.filter { !$0.value.saysNothing }.map(\.key)
            .filter { !read.contains($0) && !others.contains($0) }
    }

    // MARK: - Fields

    func value(_ field: InstructionFields.Field) -> (key: String, value: JSONValue)? {
        for name in fields.names(of: field) {
            if let value = values[name] { return (name, value) }
        }
        return nil
    }

    func require(
        _ field: InstructionFields.Field
    ) throws(InstructionDataError) -> (key: String, value: JSONValue) {
        if let member = value(field) { return member }
        throw .missingField(
            path: path, line: line, field: field.rawValue, names: fields.names(of: field),
            keys: values.keys)
    }

    func text(
        _ field: InstructionFields.Field, mayBeEmpty: Bool = false
    ) throws(InstructionDataError) -> String {
        let (key, value) = try require(field)
        guard case .string(let text) = value else { throw wrong(key, value, "a text") }
        guard mayBeEmpty || text.contains(where: { !$0.isWhitespace }) else {
            throw .emptyField(path: path, line: line, key: key)
        }
        return text
    }

    /// The text of a field that may be missing, null or empty: nil then.
    func optionalText(
        _ field: InstructionFields.Field
    ) throws(InstructionDataError) -> String? {
        guard let (key, value) = value(field) else {
            return fields.isGiven(field) ? try text(field) : nil
        }
        switch value {
        case .null: return nil
        case .string(let text): return text.isEmpty ? nil : text
        default: throw wrong(key, value, "a text")
        }
    }

    func wrong(
        _ key: String, _ value: JSONValue, _ expected: String
    ) -> InstructionDataError {
        .wrongType(path: path, line: line, key: key, found: value.kind, expected: expected)
    }
}
