import Foundation

/// How examples of commonsense reasoning are written for a model, and how its answer is read.
public enum CommonsenseProtocol: String, CaseIterable, Sendable {
    /// As LLM-Adapters and NVlabs/DoRA train and evaluate: their prompts keep the indentation of the
    /// Python source, and those of training and test differ in their white space.
    case llmAdapters = "llm-adapters"
    /// As HiRA does (Huang et al. 2025), which the Dual LoRA paper follows.
    case hira
    /// HiRA's prompts and training; the answer is the one that the model finds most probable.
    case likelihood

    private static let preamble =
        "Below is an instruction that describes a task. "
        + "Write a response that appropriately completes the request."
    private static let indentation = String(repeating: " ", count: 16)
    private static let responseHeading = "### Response:"

    /// What a model reads before the response, in training.
    public func trainingPrompt(_ instruction: String) -> String {
        guard self == .llmAdapters else { return Self.plainPrompt(instruction) }
        return Self.indented([
            Self.preamble + "  \n", "### Instruction:", instruction, "", Self.responseHeading, "",
        ])
    }

    /// What a model reads before the response, in a test.
    public func testPrompt(_ instruction: String) -> String {
        guard self == .llmAdapters else { return Self.plainPrompt(instruction) }
        return Self.indented([
            Self.preamble + " \n", "### Instruction:", instruction + "\n", Self.responseHeading, "",
        ])
    }

    /// What a model learns to say for an example's output.
    public func trainingResponse(_ output: String) -> String {
        self == .llmAdapters ? output : output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func plainPrompt(_ instruction: String) -> String {
        [
            preamble + "  \n", "### Instruction:", instruction + "\n", responseHeading, "",
        ].joined(separator: "\n")
    }

    /// Lines of which each but the first is indented.
    private static func indented(_ lines: [String]) -> String {
        lines.joined(separator: "\n" + indentation)
    }

    /// What LLM-Adapters takes for the response: what stands behind the last heading of a decoded
    /// text, the prompt counted, without white space around it.
    public static func response(behindHeadingIn text: String) -> String {
        let start = text.range(of: responseHeading, options: [.literal, .backwards])?.upperBound
        return text[(start ?? text.startIndex)...].trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What HiRA takes for the response: decoded new tokens without padding tokens and before the
    /// end of the text, or a speaker's mark.
    /// - Parameters:
    ///   - text: decoded with its special tokens.
    ///   - padding: the spelling of the padding token.
    ///   - end: that of the token that ends a text.
    public static func response(
        beforeEndIn text: String, padding: String?, end: String?
    ) -> String {
        var text = text
        if let padding, !padding.isEmpty {
            text = text.replacingOccurrences(of: padding, with: "", options: .literal)
        }
        for mark in [end, "Q:", "R:"].compactMap(\.self) where !mark.isEmpty {
            if let range = text.range(of: mark, options: .literal) {
                text = String(text[..<range.lowerBound])
            }
        }
        return text
    }
}
