import DualChat
import DualJSON

// Rows whose messages are a conversation, as OpenAI, ShareGPT, LLaMA-Factory and TRL spell them.
extension InstructionRow {
    func conversation() throws(InstructionDataError) -> InstructionExample {
        var turns = try turns(of: .messages, areLearnt: true)
        if let system = try optionalText(.system), turns.first?.message.role != "system" {
            turns.insert(
                ChatTurn(ChatMessage(role: "system", content: system), isLearnt: false), at: 0)
        }
        try checkOrder(turns)
        return .conversation(
            turns, variables: try variables(otherKeys: InstructionFormat.chat.otherKeys))
    }

    /// A prompt of messages, and the messages that answer it.
    func splitConversation() throws(InstructionDataError) -> InstructionExample {
        let turns =
            try turns(of: .prompt, areLearnt: false) + turns(of: .completion, areLearnt: true)
        try checkOrder(turns)
        return .conversation(
            turns, variables: try variables(otherKeys: InstructionFormat.completion.otherKeys))
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

    // MARK: - Messages

    /// The row as a message, with all that it says.
    private func turn(
        number: Int, of messageKey: String, isLearnt: Bool
    ) throws(InstructionDataError) -> ChatTurn {
        let spelled = try text(.role)
        guard let role = Self.roles[spelled.lowercased()] else {
            throw .unknownRole(path: path, line: line, turn: number, role: spelled)
        }
        var message = try message(role, in: messageKey)
        if spelled.lowercased() == "function_call" {
            // ShareGPT's call is the content.
            message["tool_calls"] = try calls(message.content, in: messageKey)
            message.content = ""
        }
        let isAnswer = isLearnt && role == "assistant"
        let isLearnt = isAnswer ? try weight(in: messageKey) != 0 : false
        guard
            !isLearnt || message.callsTools || message.content.contains(where: { !$0.isWhitespace })
        else {
            let key = value(.content)?.key ?? "content"
            throw .emptyField(path: path, line: line, key: "\(messageKey).\(key)")
        }
        return ChatTurn(message, isLearnt: isLearnt)
    }

    /// Who speaks, as OpenAI, ShareGPT and LLaMA-Factory call them.
    private static let roles = [
        "system": "system", "developer": "system", "user": "user", "human": "user",
        "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant",
        "bard": "assistant", "model": "assistant", "function_call": "assistant", "tool": "tool",
        "observation": "tool", "function": "tool",
    ]

    /// The row's keys as a template knows them. One that is null is not there, as in transformers.
    private func message(
        _ role: String, in messageKey: String
    ) throws(InstructionDataError) -> ChatMessage {
        let roleKey = value(.role)?.key
        let contentKey = try contentKey(in: messageKey)
        var entries: [TemplateValue.Entry] = []
        for member in values.members where member.value != .null {
            let key = messageKey + "." + member.key
            switch member.key {
            case roleKey: entries.append(.init("role", .string(role)))
            case contentKey:
                entries.append(
                    .init("content", try content(member.value, of: role, key: key)))
            case "function_call" where !member.value.saysNothing && values["tool_calls"] == nil:
                // OpenAI's calls before there were tools.
                entries.append(
                    .init("tool_calls", .list([Self.wrapped(TemplateValue(member.value))])))
            case "tool_calls" where !member.value.saysNothing:
                guard case .array = member.value else {
                    throw wrong(key, member.value, "a list of calls")
                }
                entries.append(.init(member.key, TemplateValue(member.value)))
            default: entries.append(.init(member.key, TemplateValue(member.value)))
            }
        }
        return ChatMessage(fields: entries)
    }

    /// The key of the content, which only a message that calls tools may lack.
    private func contentKey(in messageKey: String) throws(InstructionDataError) -> String? {
        let calls = ["tool_calls", "function_call"].contains { values[$0]?.saysNothing == false }
        guard let (key, value) = calls ? value(.content) : try require(.content) else { return nil }
        guard calls || value != .null else { throw wrong("\(messageKey).\(key)", value, "a text") }
        return key
    }

    /// A text, the text of OpenAI's list of parts, or what else a tool answers.
    private func content(
        _ value: JSONValue, of role: String, key: String
    ) throws(InstructionDataError) -> TemplateValue {
        switch value {
        case .string(let text): return .string(text)
        case .array(let parts):
            var whole = ""
            for part in parts {
                guard case .object(let fields) = part, case .string(let text)? = fields["text"]
                else {
                    if role == "tool" { return TemplateValue(value) }
                    throw wrong(key, value, "a text, or a list of parts of type text")
                }
                whole += text
            }
            return .string(whole)
        case .object where role == "tool": return TemplateValue(value)
        default: throw wrong(key, value, "a text")
        }
    }

    /// A call or several as ShareGPT has them, a text of JSON.
    private func calls(
        _ text: String, in messageKey: String
    ) throws(InstructionDataError) -> TemplateValue {
        let key = "\(messageKey).\(value(.content)?.key ?? "value")"
        let expected = #"a call in JSON, {"name": ..., "arguments": {...}}, or a list of such"#
        switch try parsed(.string(text), key, as: expected) {
        case .object(let call): return .list([Self.wrapped(TemplateValue(.object(call)))])
        case .array(let calls): return .list(calls.map { Self.wrapped(TemplateValue($0)) })
        case let value: throw wrong(key, value, expected)
        }
    }

    /// A function as OpenAI's tools and calls of tools have it.
    private static func wrapped(_ function: TemplateValue) -> TemplateValue {
        ["type": "function", "function": function]
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

    // MARK: - The whole

    /// What the template may ask for besides the messages. An empty list is none.
    func variables(
        otherKeys: [String]
    ) throws(InstructionDataError) -> [String: TemplateValue] {
        var variables: [String: TemplateValue] = [:]
        for key in otherKeys {
            guard let value = values[key], !value.saysNothing else { continue }
            if key == "chat_template_kwargs" {
                let expected = "an object of what the template may ask for"
                guard case .object(let object) = try parsed(value, key, as: expected) else {
                    throw wrong(key, value, expected)
                }
                for member in object.members {
                    variables[member.key] = TemplateValue(member.value)
                }
            } else {
                let objects = try objects(value, key)
                variables[key == "functions" ? "tools" : key] = .list(
                    key == "functions" ? objects.map(Self.wrapped) : objects)
            }
        }
        if let (key, value) = value(.tools), !value.saysNothing {
            variables["tools"] = .list(try objects(value, key))
        }
        return variables
    }

    private func objects(
        _ value: JSONValue, _ key: String
    ) throws(InstructionDataError) -> [TemplateValue] {
        guard case .array(let values) = try parsed(value, key, as: "a list of objects") else {
            throw wrong(key, value, "a list of objects")
        }
        return try values.enumerated().map { (index, value) throws(InstructionDataError) in
            guard case .object = value else { throw wrong("\(key)[\(index)]", value, "an object") }
            return TemplateValue(value)
        }
    }

    /// An optional system message, then user and assistant in turn, tools between an assistant's messages,
    /// and someone to learn from.
    private func checkOrder(_ turns: [ChatTurn]) throws(InstructionDataError) {
        let first = turns.first?.message.role == "system" ? 1 : 0
        var before = "assistant"
        for (index, turn) in turns.enumerated().dropFirst(first) {
            let role = turn.message.role
            let expected = before == "assistant" ? "user" : "assistant"
            guard role == expected || role == "tool" && before != "user" && index > first else {
                throw .roleOrder(
                    path: path, line: line, turn: index + 1, role: role, expected: expected)
            }
            before = role
        }
        guard turns.contains(where: \.isLearnt) else { throw .noAnswer(path: path, line: line) }
    }
}
