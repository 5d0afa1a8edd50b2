import DualJSON
import Foundation
import Testing

@testable import DualChat

@Suite final class FolderTests {
    private let root = FileManager.default.temporaryDirectory
        .appendingPathComponent("chat-tests-\(UUID().uuidString)", isDirectory: true)

    deinit { try? FileManager.default.removeItem(at: root) }

    /// A new folder with these files.
    private func folder(_ files: [String: String]) throws -> URL {
        let url = root.appendingPathComponent(UUID().uuidString, isDirectory: true)
        for (name, text) in files {
            let file = url.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return url
    }

    private let named = """
        {"bos_token": {"content": "<b>"}, "chat_template": [
          {"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]}
        """

    @Test("A file of its own comes before the tokenizer's settings, and those before a processor's")
    func placesHaveAnOrder() throws {
        var files = ["chat_template.json": #"{"chat_template": "p"}"#]
        #expect(try ChatTemplate.load(from: folder(files))?.source == "p")
        files["tokenizer_config.json"] = named
        let found = try ChatTemplate.load(from: folder(files))
        #expect(found?.source == "d")
        #expect(found?.specialTokens == ["bos_token": "<b>"])
        #expect(try ChatTemplate.load(from: folder(files), named: "tool_use")?.source == "t")
        files["chat_template.jinja"] = "f"
        #expect(try ChatTemplate.load(from: folder(files))?.source == "f")
        #expect(try ChatTemplate.load(from: folder(["config.json": "{}"])) == nil)
    }

    @Test("The map of special tokens wins where the settings do not list their added tokens")
    func tokensHaveAnOrder() throws {
        let map = #"{"eos_token": {"content": "<m>"}, "pad_token": null, "image_token": "<i>"}"#
        func tokens(_ more: String = "") throws -> [String: String]? {
            try ChatTemplate.load(
                from: folder([
                    "special_tokens_map.json": map,
                    "tokenizer_config.json": #"""
                    {"chat_template": "t", "bos_token": "<b>", "eos_token": "<e>", "pad_token": "<p>"
                    """# + more + "}",
                ]))?.specialTokens
        }
        #expect(
            try tokens() == ["bos_token": "<b>", "eos_token": "<m>", "image_token": "<i>"])
        #expect(
            try tokens(#", "added_tokens_decoder": {}"#)
                == ["bos_token": "<b>", "eos_token": "<e>", "pad_token": "<p>"])
    }

    @Test("Templates know the tokens that a model has of its own, however it names them")
    func ownTokens() throws {
        func tokens(_ settings: String) throws -> [String: String]? {
            try ChatTemplate.load(
                from: folder(["tokenizer_config.json": #"{"chat_template": "t", "# + settings + "}"]
                )
            )?.specialTokens
        }
        let specific = #""model_specific_special_tokens": {"b_token": "<b>"}"#
        #expect(try tokens(specific) == ["b_token": "<b>"])
        #expect(
            try tokens(
                specific
                    + #", "add_bos_token": true, "a_token": {"content": "<a>"}, "b_token": "<top>", "#
                    + #""extra_special_tokens": {"b_token": "<extra>"}"#)
                == ["a_token": "<a>", "b_token": "<extra>"])
    }

    @Test("A name that the folder does not have is told with those that it has")
    func namesAreChecked() throws {
        let url = try folder(["tokenizer_config.json": named])
        #expect {
            try ChatTemplate.load(from: url, named: "rag")
        } throws: { error in
            "\(error)".contains("'rag'; it has: default, tool_use")
        }
    }

    @Test("Copied templates are the same under the names of transformers")
    func copiesAreTheSame() throws {
        let copy = try folder(["x": ""])
        #expect(
            try ChatTemplate.copy(
                from: ModelFiles(folder: folder(["tokenizer_config.json": named])), to: copy))
        #expect(try ChatTemplate.load(from: copy)?.source == "d")
        #expect(try ChatTemplate.load(from: copy, named: "tool_use")?.source == "t")
        #expect(try !ChatTemplate.copy(from: ModelFiles(folder: folder(["x": ""])), to: copy))
    }

    @Test("The first folder's template is taken, with the tokens of both")
    func adaptersComeFirst() throws {
        let model = try folder(["tokenizer_config.json": named])
        let adapter = try folder(["chat_template.jinja": "{{ bos_token }}a"])
        let found = try #require(
            try ChatTemplate.load(fromFirstOf: [adapter, model].map(ModelFiles.init(folder:))))
        let messages = [ChatMessage(role: "user", content: "")]
        #expect(try found.render(messages, addGenerationPrompt: false) == "<b>a")
    }

    @Test("A name that is neither a file nor built in is told with those that are")
    func builtInNames() {
        #expect(
            throws: ChatTemplateError.unreadable(
                file: "llama3",
                reason: "there is no such file, and the built-in templates are alpaca, chatml")
        ) {
            try ChatTemplate.load(named: "llama3", tokensFrom: nil)
        }
    }

    @Test("Files that are no templates are named with the field")
    func badFilesAreNamed() throws {
        for (text, words) in [
            ("{", "is not JSON"), ("[]", "no JSON object"),
            (#"{"chat_template": 1}"#, "'chat_template' should be"),
            (#"{"chat_template": [{"name": "a"}]}"#, "'chat_template[0]' should be"),
            (#"{"chat_template": "a", "eos_token": 2}"#, "'eos_token' should be"),
        ] {
            let url = try folder(["tokenizer_config.json": text])
            #expect {
                try ChatTemplate.load(from: url)
            } throws: { error in
                "\(error)".contains("tokenizer_config.json") && "\(error)".contains(words)
            }
        }
    }
}
