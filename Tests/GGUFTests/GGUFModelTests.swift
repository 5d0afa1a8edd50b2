import DualGGUF
import DualJSON
import DualTokenization
import DualTorch
import Foundation
import TestSupport
import Testing

@Suite struct GGUFModelTests {
    /// A LLaMA of one layer: 2 query heads of 4 rows, 1 key head.
    private static var llama: GGUFBytes {
        var bytes = GGUFBytes()
        bytes.set("general.architecture", "llama")
        for (key, value) in [
            ("context_length", 64), ("embedding_length", 8), ("block_count", 1),
            ("feed_forward_length", 12), ("attention.head_count", 2),
            ("attention.head_count_kv", 1), ("rope.dimension_count", 4),
        ] {
            bytes.set("llama.\(key)", value)
        }
        bytes.set("llama.attention.layer_norm_rms_epsilon", Float(1e-5))
        bytes.add("token_embd.weight", [6, 8])
        bytes.add("blk.0.attn_q.weight", [8, 8], (0..<64).map { Float($0 / 8) })
        bytes.add("blk.0.attn_k.weight", [4, 8], (0..<32).map { Float($0 / 8) })
        bytes.add("blk.0.attn_q.bias", [8], (0..<8).map(Float.init))
        bytes.add("strange.thing", [1])
        return bytes
    }

    private func checkpoint(_ bytes: GGUFBytes) throws -> GGUFCheckpoint {
        let folder = try TemporaryFolder()
        try bytes.write(to: folder.file("x.gguf"))
        return try GGUFCheckpoint(GGUFFile(folder.file("x.gguf")))
    }

    /// A vocabulary of byte pairs with what is not of the byte alphabet in it.
    private static func withTokenizer(_ bytes: GGUFBytes) -> GGUFBytes {
        var bytes = bytes
        bytes.set("tokenizer.ggml.model", "gpt2")
        bytes.set("tokenizer.ggml.pre", "gpt-2")
        bytes.set("tokenizer.ggml.tokens", ["<｜end｜>", "a", "b", "ab", "<think>", "Ġ"])
        bytes.set("tokenizer.ggml.token_type", [Int32(3), 1, 1, 1, 4, 1])
        bytes.set("tokenizer.ggml.merges", ["a b"])
        bytes.set("tokenizer.ggml.eos_token_id", 0)
        bytes.set("tokenizer.ggml.add_eos_token", true)
        bytes.set("tokenizer.chat_template", "{{ messages[0]['content'] }}")
        return bytes
    }

    @Test("Rows of queries and keys are those of transformers: halves one behind the other")
    func rows() throws {
        let checkpoint = try checkpoint(Self.llama)
        let queries = try checkpoint.tensor("model.layers.0.self_attn.q_proj.weight")
        #expect(queries.type == .f32 && queries.shape == [8, 8] && !queries.isTransposed)
        let first = try queries.elements.array(of: Float.self).enumerated().compactMap {
            $0.offset % 8 == 0 ? $0.element : nil
        }
        // Of a head the rows 0, 2 turn with 1, 3.
        #expect(first == [0, 2, 1, 3, 4, 6, 5, 7])
        let keys = try checkpoint.tensor("model.layers.0.self_attn.k_proj.weight")
        #expect(try keys.elements.array(of: Float.self).last == 3)
        #expect(try keys.elements.array(of: Float.self)[8] == 2)
        let bias = try checkpoint.tensor("model.layers.0.self_attn.q_proj.bias")
        #expect(try bias.elements.array(of: Float.self) == [0, 2, 1, 3, 4, 6, 5, 7])
    }

    @Test("Rows of blocks are moved whole")
    func blocks() throws {
        var bytes = Self.llama
        let data = (0..<4 * 34).map { UInt8($0 / 34) }
        bytes.add("blk.1.attn_k.weight", type: 8, sizes: [32, 4], data)
        let keys = try checkpoint(bytes).tensor("model.layers.1.self_attn.k_proj.weight")
        #expect(keys.type == .q8_0 && keys.shape == [4, 32] && keys.elements.shape == [4, 34])
        let rows = try keys.elements.array(of: UInt8.self)
        #expect([0, 34, 68, 102].map { rows[$0] } == [0, 2, 1, 3])
    }

    @Test("Names are transformers', and what is of no known part keeps its own")
    func names() throws {
        let checkpoint = try checkpoint(Self.llama)
        #expect(
            checkpoint.names == [
                "model.embed_tokens.weight", "model.layers.0.self_attn.k_proj.weight",
                "model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.q_proj.weight",
                "strange.thing",
            ])
        #expect(!checkpoint.contains("lm_head.weight"))
        #expect(throws: GGUFError.self) { try checkpoint.tensor("lm_head.weight") }
    }

    @Test("Weights of GPT-2's layers are the transposes of transformers'")
    func transposes() throws {
        var bytes = GGUFBytes()
        bytes.set("general.architecture", "gpt2")
        bytes.add("blk.0.ffn_up.weight", [12, 3])
        bytes.add("blk.0.ffn_up.bias", [12])
        bytes.add("token_embd.weight", [5, 3])
        let checkpoint = try checkpoint(bytes)
        let name = "transformer.h.0.mlp.c_fc.weight"
        #expect(checkpoint.shape(of: name) == [3, 12])
        #expect(try checkpoint.tensor(name).isTransposed)
        #expect(try checkpoint.tensor(name).shape == [12, 3])
        #expect(checkpoint.shape(of: "transformer.h.0.mlp.c_fc.bias") == [12])
        #expect(try !checkpoint.tensor("transformer.wte.weight").isTransposed)
    }

    @Test("Heads that rows are not a multiple of are refused by the tensor's name")
    func heads() throws {
        var bytes = Self.llama
        bytes.add("blk.1.attn_k.weight", [3, 8])
        let checkpoint = try checkpoint(bytes)
        let text = message {
            _ = try checkpoint.tensor("model.layers.1.self_attn.k_proj.weight")
        }
        #expect(text.contains("'blk.1.attn_k.weight' of shape [3, 8]"), "\(text)")
    }

    @Test("A tokenizer of a file finds control tokens as they are spelled and ends a text")
    func tokenizer() throws {
        let folder = try TemporaryFolder()
        let place = folder.file("x.gguf")
        try Self.withTokenizer(Self.llama).write(to: place)
        let files = try ModelFiles(of: place)
        #expect(files.has("config.json") && files.has("tokenizer.json") && !files.has("vocab.txt"))
        let tokenizer = try Tokenizer.load(from: files)
        #expect(try tokenizer.encode("ab<think>a<｜end｜>").ids == [3, 4, 1, 0, 0])
        #expect(tokenizer.endOfTextID == 0)
        #expect(tokenizer.isSpecial(0) && !tokenizer.isSpecial(4))
        #expect(tokenizer.decode([1, 5, 2, 4]) == "a b<think>")
    }

    @Test("What is wrong with a vocabulary is told by the file's name and the key")
    func wrongVocabulary() throws {
        let folder = try TemporaryFolder()
        let place = folder.file("x.gguf")
        func refusal(_ change: (inout GGUFBytes) -> Void) throws -> String {
            var bytes = Self.llama
            bytes.set("tokenizer.ggml.model", "gpt2")
            bytes.set("tokenizer.ggml.tokens", ["a", "b"])
            change(&bytes)
            try bytes.write(to: place)
            return message { _ = try Tokenizer.load(from: ModelFiles(of: place)) }
        }
        for (words, change) in [
            ("'tokenizer.ggml.merges' is missing", { (_: inout GGUFBytes) in }),
            ("'tokenizer.ggml.merges' is a text", { $0.set("tokenizer.ggml.merges", "a b") }),
            (
                "'tokenizer.ggml.token_type' has 1 types for 2 tokens",
                { $0.set("tokenizer.ggml.token_type", [Int32(1)]) }
            ),
            (
                "'tokenizer.ggml.token_type' has the unknown type",
                { $0.set("tokenizer.ggml.token_type", [Int32(1), 9]) }
            ),
            ("'tokenizer.ggml.pre' is a.b", { $0.set("tokenizer.ggml.pre", "a.b") }),
        ] {
            let text = try refusal(change)
            #expect(text.contains("x.gguf") && text.contains(words), "\(text)")
        }
        let text = try refusal {
            $0.set("tokenizer.ggml.merges", [String]())
            $0.set("tokenizer.ggml.bos_token_id", 7)
        }
        #expect(text.contains("'tokenizer.ggml.bos_token_id' is 7, but there are 2 tokens"))
    }

    @Test("A file with any bytes changed is a model or is refused in a line")
    func mutated() throws {
        let folder = try TemporaryFolder()
        let place = folder.file("x.gguf")
        let good = Self.withTokenizer(Self.llama)
        let (bytes, header) = (good.all, good.header.count)
        var inputs = HostileInputs(seed: 12)
        for _ in 0..<HostileInputs.count / 4 {
            try Data(inputs.spoiled(bytes, within: 0..<header)).write(to: place)
            for read in [Self.readFiles, Self.readTensors] {
                do {
                    try read(place)
                } catch {
                    let text = "\(error)"
                    #expect(text.count < 3000 && !text.contains("\n"), "\(text)")
                }
            }
        }
    }

    private static func readFiles(_ place: URL) throws {
        let files = try ModelFiles(of: place)
        _ = try? files.data("config.json")
        _ = try files.data("tokenizer_config.json")
        _ = try Tokenizer.load(from: files).encode("ab <think>")
    }

    private static func readTensors(_ place: URL) throws {
        let checkpoint = try GGUFCheckpoint(GGUFFile(place))
        for name in checkpoint.names { _ = try checkpoint.tensor(name).elements.sum().item() }
    }
}
