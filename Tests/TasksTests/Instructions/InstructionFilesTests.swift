import DualChat
import Foundation
import Testing

@testable import DualTasks

/// What files of instruction data say, and how they are refused.
@Suite struct InstructionFilesTests {
    /// The examples of one file of so much text.
    private func read(
        _ text: String, as name: String, _ files: InstructionFiles = InstructionFiles()
    ) throws -> InstructionFiles.Contents {
        let folder = try TaskFolder([name: text])
        return try withExtendedLifetime(folder) {
            try files.read([folder.url.appendingPathComponent(name)])
        }
    }

    /// What is said of a file that is refused, its folder's path left out.
    private func refusal(
        _ text: String, as name: String = "data.jsonl",
        _ files: InstructionFiles = InstructionFiles()
    ) throws -> String {
        let folder = try TaskFolder([name: text])
        return message(in: folder) {
            _ = try files.read([folder.url.appendingPathComponent(name)])
        }.replacingOccurrences(of: "DIR/", with: "")
    }

    private static func turn(_ role: String, _ text: String) -> ChatTurn {
        ChatTurn(ChatMessage(role: role, content: text), isLearnt: role == "assistant")
    }

    private static let talk = [turn("user", "Hi"), turn("assistant", "Hello.")]

    static let forms: [(name: String, text: String, example: InstructionExample)] = [
        (
            "data.json",
            #"[{"instruction": "Add", "input": "1 2", "output": "3", "id": 7}]"#,
            .instruction(Instruction(instruction: "Add", input: "1 2", output: "3"))
        ),
        (
            "data.jsonl", #"{"instruction": "Sing", "output": "La", "system": "Be kind."}"#,
            .instruction(Instruction(instruction: "Sing", output: "La", system: "Be kind."))
        ),
        (
            "data.jsonl", #"{"prompt": "2 + 2 =", "completion": " 4"}"#,
            .completion(prompt: "2 + 2 =", completion: " 4")
        ),
        (
            "data.jsonl",
            #"{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]}"#,
            .conversation(talk)
        ),
        (
            "data.jsonl",
            #"{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, {"role": "assistant", "content": "Hello."}]}"#,
            .conversation(talk)
        ),
        (
            "data.json",
            #"[{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}]"#,
            .conversation(talk)
        ),
        (
            "data.json",
            #"[{"system": "S", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}]"#,
            .conversation([turn("system", "S")] + talk)
        ),
        (
            "data.jsonl",
            #"{"prompt": [{"role": "user", "content": "Hi"}], "completion": [{"role": "assistant", "content": "Hello."}]}"#,
            .conversation(talk)
        ),
        ("data.jsonl", #"{"text": "Once upon a time"}"#, .text("Once upon a time")),
        ("data.txt", "Once upon a time", .text("Once upon a time")),
        (
            "data.csv", "instruction,input,output\n\"Add, please\",\"1\n2\",3\n",
            .instruction(Instruction(instruction: "Add, please", input: "1\n2", output: "3"))
        ),
        ("data.csv", "prompt,completion\nA,B\n", .completion(prompt: "A", completion: "B")),
    ]

    @Test("Each form of data is read as what it says", arguments: forms.indices)
    func form(_ index: Int) throws {
        let form = Self.forms[index]
        let found = try read(form.text, as: form.name).examples
        #expect(found.map(\.example) == [form.example])
    }

    @Test("A message of weight 0 is not learnt, and the others are")
    func weights() throws {
        let text = """
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}, \
            {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 1}]}
            """
        guard case .conversation(let turns) = try read(text, as: "x.jsonl").examples[0].example
        else {
            Issue.record("no conversation")
            return
        }
        #expect(turns.map(\.isLearnt) == [false, false, false, true])
    }

    @Test("Fields that the user names are read, and decide what form the rows have")
    func fields() throws {
        var files = InstructionFiles()
        files.fields = try InstructionFields(["prompt=question", "completion=answer"])
        let text = #"{"question": "Why?", "answer": "So.", "instruction": "x", "output": "y"}"#
        #expect(
            try read(text, as: "x.jsonl", files).examples.map(\.example)
                == [.completion(prompt: "Why?", completion: "So.")])
    }

    static let refusals: [(text: String, words: String)] = [
        (
            #"{"question": "a"}"#,
            "data.jsonl:1: the keys 'question' are of no known form; there should be instruction and "
                + "output, prompt and completion, messages, conversations or text, or --field should name "
                + "them"
        ),
        (
            "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"}",
            "data.jsonl:2: there is no 'completion', but 'prompt'; --field completion=KEY names another key"
        ),
        (
            #"{"prompt": 3, "completion": "b"}"#,
            "data.jsonl:1: 'prompt' is a number; it should be a text"
        ),
        (
            #"{"instruction": "a", "output": " "}"#,
            "data.jsonl:1: 'output' is empty; there should be something to learn"
        ),
        (
            #"{"messages": "hello"}"#,
            "data.jsonl:1: 'messages' is a text; it should be a list of messages"
        ),
        (
            #"{"messages": [{"role": "tool", "content": "x"}]}"#,
            "data.jsonl:1: message 1 has the role 'tool'; it should be system, user or assistant "
                + "(human or gpt)"
        ),
        (
            #"{"messages": [{"role": "assistant", "content": "x"}]}"#,
            "data.jsonl:1: message 1 is of the assistant; it should be of the user, as user and assistant "
                + "alternate behind an optional system message"
        ),
        (
            #"{"messages": [{"role": "user", "content": "x"}]}"#,
            "data.jsonl:1: the conversation has no assistant's message to learn from"
        ),
        (
            #"{"messages": [{"role": "user", "content": {"image": 1}}]}"#,
            "data.jsonl:1: 'messages[0].content' is an object; it should be a text"
        ),
    ]

    @Test("A row that cannot be used is refused with its line and key", arguments: refusals.indices)
    func refused(_ index: Int) throws {
        #expect(try refusal(Self.refusals[index].text) == Self.refusals[index].words)
    }

    @Test("Bad rows are left out and counted where the user says so")
    func skipping() throws {
        let text = """
            {"prompt": "a", "completion": "b"}
            {"prompt": "a"
            {"prompt": "a"}
            3
            {"prompt": "c", "completion": "d"}
            """
        var files = InstructionFiles()
        #expect(try refusal(text).hasPrefix("data.jsonl:2: "))
        files.skipsBadRows = true
        let contents = try read(text, as: "data.jsonl", files)
        #expect(contents.examples.count == 2)
        #expect(contents.skipped.count == 3)
        #expect(contents.examples.last?.place.hasSuffix("data.jsonl:5") ?? false)
    }

    @Test("A file of bad rows alone, an empty one and one of another kind are refused")
    func nothing() throws {
        var files = InstructionFiles()
        files.skipsBadRows = true
        let bad = "{\"prompt\": \"a\", \"completion\": 1}\n{\"prompt\": \"a\", \"completion\": 2}"
        #expect(
            try refusal(bad, as: "data.jsonl", files)
                == "data.jsonl: none of 2 rows can be used; the first: data.jsonl:1: 'completion' is a "
                + "number; it should be a text")
        #expect(try refusal("").hasPrefix("data.jsonl: the file has no examples"))
        #expect(
            try refusal("x", as: "data.parquet")
                == "data.parquet: instruction data is read from .json, .jsonl, .csv and .txt files")
    }

    @Test("A field that is spelled wrongly is refused")
    func badFields() {
        for text in ["outputs=a", "output", "output=", "=a"] {
            #expect(throws: InstructionDataError.self) { try InstructionFields([text]) }
        }
    }
}
