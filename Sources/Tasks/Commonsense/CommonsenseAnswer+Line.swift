import DualDatasets
import DualJSON

extension CommonsenseAnswer {
    /// The answer as an object of JSON on one line.
    func line(_ preset: CommonsenseProtocol) -> String {
        var line = JSONLine()
        line.set("task", set.name)
        line.set("prompt", preset.testPrompt(example.instruction))
        line.set("prompt_ids", prompt)
        line.set("text", text)
        line.set("answer", answer ?? "")
        line.set("gold", example.answer)
        return line.text
    }
}
