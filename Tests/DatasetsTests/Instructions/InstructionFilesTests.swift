import DualChat
import Foundation
import Testing

@testable import DualDatasets

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
        guard case .conversation(let turns, _) = try read(text, as: "x.jsonl").examples[0].example
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
                + "output, prompt and completion, messages, conversations or text, or `field` should name "
                + "them"
        ),
        (
            "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\"}",
            "data.jsonl:2: there is no 'completion', but 'prompt'; `field` completion=KEY names another key"
        ),
        (
            #"{"prompt": 3, "completion": "b"}"#,
            "data.jsonl:1: 'prompt' is a number; it should be a text"
        ),
        (
            #"{"instruction": "a", "output": " "}"#,
            "data.jsonl:1: 'output' is empty; there should be something to learn, or "
                + "`skip-bad-rows` leaves such rows out"
        ),
        (
            #"{"messages": "hello"}"#,
            "data.jsonl:1: 'messages' is a text; it should be a list of messages"
        ),
        (
            #"{"messages": [{"role": "robot", "content": "x"}]}"#,
            "data.jsonl:1: message 1 has the role 'robot'; it should be system, user, assistant or tool "
                + "(human, gpt, function_call or observation)"
        ),
        (
            #"{"messages": [{"role": "tool", "content": "x"}]}"#,
            "data.jsonl:1: message 1 is of the tool; it should be of the user, as user and assistant "
                + "alternate behind an optional system message, and tools answer an assistant"
        ),
        (
            #"{"messages": [{"role": "assistant", "content": "x"}]}"#,
            "data.jsonl:1: message 1 is of the assistant; it should be of the user, as user and assistant "
                + "alternate behind an optional system message, and tools answer an assistant"
        ),
        (
            #"{"messages": [{"role": "user", "content": "x"}]}"#,
            "data.jsonl:1: the conversation has no assistant's message to learn from"
        ),
        (
            #"{"messages": [{"role": "user", "content": {"image": 1}}]}"#,
            "data.jsonl:1: 'messages[0].content' is an object; it should be a text"
        ),
        (
            talking(#""content": "", "tool_calls": {"id": "c"}"#),
            "data.jsonl:1: 'messages[1].tool_calls' is an object; it should be a list of calls"
        ),
        (
            talking(#""content": "b""#, #", "tools": [1]"#),
            "data.jsonl:1: 'tools[0]' is a number; it should be an object"
        ),
        (
            talking(#""content": "b""#, #", "tools": "none""#),
            "data.jsonl:1: 'tools' is a text; it should be a list of objects"
        ),
        (
            #"{"instruction": "a", "output": "b", "history": [["q"]]}"#,
            "data.jsonl:1: 'history[0]' is a list; it should be a pair of texts, [question, answer]"
        ),
        (
            #"{"conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "f()"}]}"#,
            "data.jsonl:1: 'conversations[1].value' is a text; it should be a call in JSON, "
                + #"{"name": ..., "arguments": {...}}, or a list of such"#
        ),
        (
            talking(#""content": """#),
            "data.jsonl:1: 'messages[1].content' is empty; there should be something to learn, or "
                + "`skip-bad-rows` leaves such rows out"
        ),
        (
            talking(#""content": " \n""#),
            "data.jsonl:1: 'messages[1].content' is empty; there should be something to learn, or "
                + "`skip-bad-rows` leaves such rows out"
        ),
        (
            talking(#""content": "b", "weight": false"#),
            "data.jsonl:1: 'messages[1].weight' is a truth value; it should be 0 or 1"
        ),
        (
            talking(#""content": "b", "weight": "0""#),
            "data.jsonl:1: 'messages[1].weight' is a text; it should be 0 or 1"
        ),
        (
            talking(#""content": "b", "weight": 0.5"#),
            "data.jsonl:1: 'messages[1].weight' is 0.5; it should be 0 or 1"
        ),
        (
            "{\"messages\": [{\"role\": \"x\\ny\\u001b[31m\", \"content\": \"x\"}]}",
            "data.jsonl:1: message 1 has the role 'x\\ny\\u{1B}[31m'; it should be system, user, "
                + "assistant or tool (human, gpt, function_call or observation)"
        ),
        (
            #"{"a\nb": "x"}"#,
            #"data.jsonl:1: the keys 'a\nb' are of no known form; there should be instruction and "#
                + "output, prompt and completion, messages, conversations or text, or `field` should name "
                + "them"
        ),
        (
            #"{"a\nb": 1, "a\nb": 2}"#,
            #"data.jsonl:1: the key 'a\nb' comes twice in one object."#
        ),
        (
            #"{"prompt": "a", "completion": "\ud83d"}"#,
            #"data.jsonl:1: a text has \ud83d, half of a surrogate pair, alone; the two halves stand one "#
                + "behind the other."
        ),
    ]

    /// A row of a question and an answer, with more fields.
    private static func talking(_ answer: String, _ row: String = "") -> String {
        #"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "#
            + answer + "}]" + row + "}"
    }

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
        #expect(
            try refusal("{\n{\n", as: "data.jsonl", files).hasPrefix(
                "data.jsonl: none of 2 rows can be used; the first: data.jsonl:1: "))
        #expect(try refusal("").hasPrefix("data.jsonl: the file has no examples"))
        #expect(
            try refusal("x", as: "data.parquet")
                == "data.parquet: instruction data is read from .json, .jsonl, .csv, .tsv and .txt files"
        )
    }

    @Test("Tool calls and tools that are null or empty are nothing, and so is no weight")
    func emptyExtras() throws {
        let text = Self.talking(
            #""content": "b", "tool_calls": null, "reasoning_content": null, "weight": null"#,
            #", "tools": [], "documents": {}, "functions": "[]""#)
        let wanted = [Self.turn("user", "a"), Self.turn("assistant", "b")]
        #expect(
            try read(text, as: "x.jsonl").examples.map(\.example) == [.conversation(wanted)])
    }

    @Test("A message keeps what else it has, a call may have no content, and tools answer it")
    func tools() throws {
        let text = #"""
            {"tools": "[{\"type\": \"function\"}]", "messages": [{"role": "user", "content": "a"}, \
            {"role": "assistant", "content": null, "reasoning_content": "r", "tool_calls": [{"id": 1}]}, \
            {"role": "tool", "content": {"t": 1}, "tool_call_id": "c"}, {"role": "assistant", "content": "d"}]}
            """#.replacingOccurrences(of: "\\\n", with: "")
        let call = ChatMessage(fields: [
            .init("role", "assistant"), .init("reasoning_content", "r"),
            .init("tool_calls", [["id": 1]]),
        ])
        let answer = ChatMessage(fields: [
            .init("role", "tool"), .init("content", ["t": 1]), .init("tool_call_id", "c"),
        ])
        #expect(
            try read(text, as: "x.jsonl").examples.map(\.example) == [
                .conversation(
                    [
                        Self.turn("user", "a"), ChatTurn(call, isLearnt: true),
                        ChatTurn(answer, isLearnt: false), Self.turn("assistant", "d"),
                    ], variables: ["tools": [["type": "function"]]])
            ])
    }

    @Test("The history of an instruction is read, and keys that are not read are told")
    func history() throws {
        let text =
            #"{"instruction": "c", "output": "d", "history": [["a", "b"]], "id": 3, "x": null}"#
        let found = try read(text, as: "x.jsonl").examples
        #expect(
            found.map(\.example) == [
                .instruction(
                    Instruction(
                        instruction: "c", output: "d",
                        history: [.init(question: "a", answer: "b")]))
            ])
        #expect(found.first?.unusedKeys == ["id"])
    }

    @Test("An answer that is not learnt may be empty")
    func emptyUnlearnt() throws {
        let text = #"""
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "weight": 0}, \
            {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}
            """#.replacingOccurrences(of: "\\\n", with: "")
        #expect(try read(text, as: "x.jsonl").examples.count == 1)
    }

    @Test("A row of CSV that is not UTF-8 is a bad row, and a stray quote ends the file either way")
    func badTableRows() throws {
        var files = InstructionFiles()
        files.skipsBadRows = true
        let folder = try TaskFolder([
            "quote.csv": "prompt,completion\na,b\nHe said \"hi\",b\nc,d\n"
        ])
        try folder.write(
            [UInt8]("prompt,completion\na,b\nx,".utf8) + [0xFF] + [UInt8]("\nc,d\n".utf8),
            to: "bytes.csv")
        let place = { folder.url.appendingPathComponent($0) }
        let found = try files.read([place("bytes.csv")])
        #expect(
            found.examples.map(\.example) == [
                .completion(prompt: "a", completion: "b"),
                .completion(prompt: "c", completion: "d"),
            ])
        #expect(found.skipped.count == 1)
        #expect(found.skipped.first?.contains("bytes.csv:3: ") == true)
        #expect(
            message(in: folder) { _ = try files.read([place("quote.csv")]) }
                == "DIR/quote.csv:3: a double quote stands inside a field; put the whole field in quotes "
                + "and write each quote in it twice. Where the next row begins cannot be told, so "
                + "`skip-bad-rows` does not leave this one out.")
    }

    @Test("A file of UTF-16 is called that, whatever its kind", arguments: ["jsonl", "csv", "txt"])
    func wideText(_ kind: String) throws {
        let folder = try TaskFolder()
        try folder.write([0xFF, 0xFE, 0x7B, 0], to: "a." + kind)
        #expect(
            message(in: folder) {
                _ = try InstructionFiles().read([folder.url.appendingPathComponent("a." + kind)])
            }
                == "DIR/a.\(kind): the file is in UTF-16, as its first two bytes say; save it in UTF-8."
        )
    }

    @Test("A folder with two files of one part is refused, as either might be meant")
    func twoTrainingFiles() throws {
        let folder = try TaskFolder(["train.jsonl": "", "train.json": "", "dev.csv": ""])
        #expect(
            message(in: folder) { _ = try InstructionFiles.files(.train, of: [folder.url]) }
                == "DIR: the folder has 'train.jsonl' and 'train.json', and it is not clear which is "
                + "meant; name the files themselves, or leave one there.")
        #expect(
            try InstructionFiles.files(.dev, of: [folder.url])?.map(\.lastPathComponent) == [
                "dev.csv"
            ])
    }

    @Test("A field that is spelled wrongly is refused")
    func badFields() {
        for text in ["outputs=a", "output", "output=", "=a"] {
            #expect(throws: InstructionDataError.self) { try InstructionFields([text]) }
        }
    }
}
