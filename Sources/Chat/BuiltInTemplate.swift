import DualJSON
import DualNames
import Foundation

/// Templates for models that bring none.
public enum BuiltInTemplate: String, CaseIterable, Sendable {
    /// Instruction and response under headings, as the data of Stanford Alpaca is usually put into words
    /// (Taori et al. 2023; Alpaca-LoRA's spelling).
    case alpaca
    /// Messages between `<|im_start|>` and `<|im_end|>`, which should be tokens of the model.
    case chatml

    /// What stands between a message and what it works on, where the template has a place for that.
    package static let inputHeading = "\n\n### Input:\n"

    /// The template's text, in Jinja's language.
    public var source: String {
        switch self {
        case .alpaca: Self.alpacaSource
        case .chatml: Self.chatMLSource
        }
    }

    /// The template, ready to render.
    ///
    /// - Parameter specialTokens: the tokenizer's, such as `eos_token`.
    /// - Throws: ``ChatTemplateError``.
    public func template(specialTokens: [String: String]) throws -> ChatTemplate {
        try ChatTemplate(source: source, name: rawValue, specialTokens: specialTokens)
    }

    private static let alpacaSource = #"""
        {{- bos_token }}
        {%- set heading = '\n\n### Input:\n' %}
        {%- if messages[0]['role'] == 'system' %}
            {{- messages[0]['content'] + '\n\n' }}
        {%- elif heading in messages[0]['content'] %}
            {{- 'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n' }}
        {%- else %}
            {{- 'Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n' }}
        {%- endif %}
        {%- for message in messages %}
            {%- if message['role'] == 'user' %}
                {{- '### Instruction:\n' + message['content'] + '\n\n' }}
            {%- elif message['role'] == 'assistant' %}
                {{- '### Response:\n' + message['content'] + eos_token }}
                {%- if not loop.last %}
                    {{- '\n\n' }}
                {%- endif %}
            {%- elif message['role'] != 'system' or not loop.first %}
                {{- raise_exception("a '" + message['role'] + "' message has no place here; there may be one system message, at the beginning, and user and assistant messages") }}
            {%- endif %}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '### Response:\n' }}
        {%- endif %}
        """#

    private static let chatMLSource = #"""
        {%- for message in messages %}
            {{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\n' }}
        {%- endif %}
        """#
}

extension ChatTemplate {
    /// The template of a name that the user gives: a built-in one, or a file.
    ///
    /// - Parameter folder: has the tokenizer whose special tokens the template writes.
    /// - Throws: ``ChatTemplateError``.
    public static func load(named name: String, tokensFrom folder: URL?) throws -> ChatTemplate {
        try load(
            named: name, tokens: folder.map { try SpecialTokens.read(from: ModelFiles(folder: $0)) }
        )
    }

    /// The same with the special tokens of a model's files.
    /// - Throws: ``ChatTemplateError``.
    public static func load(
        named name: String, tokensFrom files: ModelFiles
    ) throws -> ChatTemplate {
        try load(named: name, tokens: SpecialTokens.read(from: files))
    }

    private static func load(
        named name: String, tokens: [String: String]?
    ) throws -> ChatTemplate {
        if let builtIn = BuiltInTemplate(rawValue: name) {
            return try builtIn.template(specialTokens: tokens ?? [:])
        }
        guard FileManager.default.fileExists(atPath: name) else {
            let known = BuiltInTemplate.allCases.map(\.rawValue)
            let hint = NearestName.of(name, among: known).map { "; did you mean \($0)?" } ?? ""
            throw ChatTemplateError.unreadable(
                file: name,
                reason: "there is no such file, and the built-in templates are "
                    + known.joined(separator: ", ") + hint)
        }
        return try load(file: URL(fileURLWithPath: name), tokens: tokens)
    }
}
