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
        case .chat: return .conversation(try conversation())
        case .alpaca: return .instruction(try instruction())
        case .completion:
            if case .array? = value(.prompt)?.value {
                return .conversation(try splitConversation())
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

    private func namesGiven(_ format: InstructionFormat) -> Int {
        format.required.filter(fields.isGiven).count
    }

    private func instruction() throws(InstructionDataError) -> Instruction {
        Instruction(
            instruction: try text(.instruction),
            input: try optionalText(.input) ?? "", output: try text(.output),
            system: try optionalText(.system))
    }

    // MARK: - Conversations

    private func conversation() throws(InstructionDataError) -> [ChatTurn] {
        try refuse(ChatMessage.conversationFieldsNotRead, in: "")
        var turns = try turns(of: .messages, areLearnt: true)
        if let system = try optionalText(.system), turns.first?.message.role != "system" {
            turns.insert(
                ChatTurn(ChatMessage(role: "system", content: system), isLearnt: false), at: 0)
        }
        try checkOrder(turns)
        return turns
    }

    /// A prompt of messages, and the messages that answer it.
    private func splitConversation() throws(InstructionDataError) -> [ChatTurn] {
        try refuse(ChatMessage.conversationFieldsNotRead, in: "")
        let turns =
            try turns(of: .prompt, areLearnt: false) + turns(of: .completion, areLearnt: true)
        try checkOrder(turns)
        return turns
    }

    private func turns(
        of field: InstructionFields.Field, areLearnt: Bool
    ) throws(InstructionDataError) -> [ChatTurn] {
        let (key, value) = try require(field)
        guard case .array(let messages) = value else {
            throw wrong(key, value, "a list of messages")
        }
        return try messages.enumerated().map { (index, message) throws(InstructionDataError) in
            guard case .object(let values) = message else {
                throw wrong("\(key)[\(index)]", message, "an object with a role and a content")
            }
            let inside = InstructionRow(path: path, line: line, values: values, fields: fields)
            return try inside.turn(
                number: index + 1, of: "\(key)[\(index)]", isLearnt: areLearnt)
        }
    }

    /// The row as a message.
    private func turn(
        number: Int, of messageKey: String, isLearnt: Bool
    ) throws(InstructionDataError) -> ChatTurn {
        let spelled = try text(.role)
        guard let role = Self.roles[spelled.lowercased()] else {
            throw .unknownRole(path: path, line: line, turn: number, role: spelled)
        }
        try refuse(ChatMessage.fieldsNotRead, in: messageKey + ".")
        let (key, value) = try require(.content)
        let content = try content(value, key: "\(messageKey).\(key)")
        let isAnswer = isLearnt && role == "assistant"
        let isLearnt = isAnswer ? try weight(in: messageKey) != 0 : false
        guard !isLearnt || content.contains(where: { !$0.isWhitespace }) else {
            throw .emptyField(path: path, line: line, key: "\(messageKey).\(key)")
        }
        return ChatTurn(ChatMessage(role: role, content: content), isLearnt: isLearnt)
    }

    /// Refuses what a template might write and nobody would hand to it.
    private func refuse(
        _ names: [String], in prefix: String
    ) throws(InstructionDataError) {
        for name in names {
            if let value = values[name], !value.saysNothing {
                throw .notRead(path: path, line: line, key: prefix + name)
            }
        }
    }

    /// Who speaks, as OpenAI and ShareGPT call them.
    private static let roles = [
        "system": "system", "developer": "system", "user": "user", "human": "user",
        "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant",
        "bard": "assistant", "model": "assistant",
    ]

    /// A text, or OpenAI's list of parts of text.
    private func content(_ value: JSONValue, key: String) throws(InstructionDataError) -> String {
        switch value {
        case .string(let text): return text
        case .array(let parts):
            var whole = ""
            for part in parts {
                guard case .object(let fields) = part, case .string(let text)? = fields["text"]
                else {
                    throw wrong(key, value, "a text, or a list of parts of type text")
                }
                whole += text
            }
            return whole
        default: throw wrong(key, value, "a text")
        }
    }

    /// OpenAI's mark of messages that are not to be learnt.
    private func weight(in messageKey: String) throws(InstructionDataError) -> Double {
        guard let value = values["weight"], value != .null else { return 1 }
        guard case .number(let spelled) = value, let weight = Double(spelled) else {
            throw wrong(messageKey + ".weight", value, "0 or 1")
        }
        guard weight == 0 || weight == 1 else {
            throw .badWeight(path: path, line: line, key: messageKey + ".weight", found: spelled)
        }
        return weight
    }

    /// An optional system message, then user and assistant in turn, and someone to learn from.
    private func checkOrder(_ turns: [ChatTurn]) throws(InstructionDataError) {
        let first = turns.first?.message.role == "system" ? 1 : 0
        for (index, turn) in turns.enumerated().dropFirst(first) {
            let expected = (index - first) % 2 == 0 ? "user" : "assistant"
            guard turn.message.role == expected else {
                throw .roleOrder(
                    path: path, line: line, turn: index + 1, role: turn.message.role,
                    expected: expected)
            }
        }
        guard turns.contains(where: \.isLearnt) else { throw .noAnswer(path: path, line: line) }
    }

    // MARK: - Fields

    private func value(_ field: InstructionFields.Field) -> (key: String, value: JSONValue)? {
        for name in fields.names(of: field) {
            if let value = values[name] { return (name, value) }
        }
        return nil
    }

    private func require(
        _ field: InstructionFields.Field
    ) throws(InstructionDataError) -> (key: String, value: JSONValue) {
        if let member = value(field) { return member }
        throw .missingField(
            path: path, line: line, field: field.rawValue, names: fields.names(of: field),
            keys: values.keys)
    }

    private func text(
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
    private func optionalText(
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

    private func wrong(
        _ key: String, _ value: JSONValue, _ expected: String
    ) -> InstructionDataError {
        .wrongType(path: path, line: line, key: key, found: value.kind, expected: expected)
    }
}
