import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualGGUF

@Suite struct GGUFAdapterTests {
    private let folder: TemporaryFolder
    private var place: URL { folder.file("x.gguf") }

    init() throws { folder = try TemporaryFolder() }

    /// A writer for a model of two heads of queries and one of keys, of four rows each.
    private func writer(_ type: String) throws -> GGUFAdapterWriter {
        try GGUFAdapterWriter(
            fields: [
                "model_type": type, "num_attention_heads": 2, "num_key_value_heads": 1,
                "n_head": 2,
            ], file: "config.json")
    }

    /// Writes one change and reads the file.
    private func written(_ path: String, _ type: String, rows: Int) throws -> GGUFFile {
        let writer = try writer(type)
        let up = try Tensor((0..<rows * 2).map(Float.init), [rows, 2])
        let factors = try #require(
            try writer.factors(of: path, down: .seeded([2, 3], seed: 1), up: up))
        let entries = factors.map {
            GGUFWriter.Entry(name: $0.name, type: .f32, shape: $0.value.shape)
        }
        try writer.metadata(alpha: 6, name: "tiny").write(entries, to: place) { entry in
            try #require(factors.first { $0.name == entry.name }).value
        }
        return try GGUFFile(place)
    }

    @Test(
        "Rows of queries and keys of LLaMA have their pairs side by side, others are as they were")
    func rows() throws {
        let (attention, feedForward) = ("model.layers.3.self_attn.", "model.layers.3.mlp.")
        for (path, type, name, order) in [
            (attention + "q_proj", "llama", "blk.3.attn_q", [0, 2, 1, 3, 4, 6, 5, 7]),
            (attention + "k_proj", "mistral", "blk.3.attn_k", [0, 2, 1, 3]),
            (attention + "v_proj", "llama", "blk.3.attn_v", [0, 1, 2, 3]),
            (attention + "q_proj", "qwen2", "blk.3.attn_q", [0, 1, 2, 3, 4, 5, 6, 7]),
            (feedForward + "up_proj", "qwen3", "blk.3.ffn_up", [0, 1, 2, 3]),
            // PEFT's factors are not transposed where transformers' weights are.
            ("transformer.h.3.attn.c_attn", "gpt2", "blk.3.attn_qkv", [0, 1, 2, 3, 4, 5]),
            ("lm_head", "llama", "output", [0, 1, 2]),
        ] {
            let file = try written(path, type, rows: order.count)
            let up = try file.tensor(name + ".weight.lora_b")
            #expect(up.shape == [order.count, 2])
            let expected = order.flatMap { [Float(2 * $0), Float(2 * $0 + 1)] }
            #expect(try up.array(of: Float.self) == expected, "\(path)")
            let down = try file.tensor(name + ".weight.lora_a")
            #expect(try down.hasSameElements(as: .seeded([2, 3], seed: 1)))
        }
    }

    @Test("An embedding's A has a token a row")
    func embedding() throws {
        for (path, type) in [("model.embed_tokens", "qwen2"), ("transformer.wte", "gpt2")] {
            let file = try written(path, type, rows: 5)
            let down = try file.tensor("token_embd.weight.lora_a")
            #expect(try down.hasSameElements(as: Tensor.seeded([2, 3], seed: 1).transposed()))
            #expect(file.entry("token_embd.weight.lora_b")?.shape == [5, 2])
        }
    }

    @Test("The keys are those of llama.cpp's converter, and are read again")
    func keys() throws {
        let file = try written("lm_head", "mistral", rows: 4)
        #expect(
            file.keys == [
                "general.architecture", "general.type", "adapter.type", "general.name",
                "adapter.lora.alpha", "general.quantization_version",
            ])
        let adapter = try #require(try GGUFAdapter(file))
        #expect(adapter.architecture == "llama" && adapter.type == "lora" && adapter.alpha == 6)
        #expect(adapter.ranks == [2])
    }

    @Test("A layer and an architecture without a name are none of the format's")
    func unknown() throws {
        let factors = try writer("llama").factors(
            of: "model.layers.0.self_attn.c_attn", down: .zeros([2, 3]), up: .zeros([4, 2]))
        #expect(factors == nil)
        #expect(message { _ = try writer("bert") }.contains("'model_type' is bert"))
    }

    @Test("An adapter is no model, and a model no adapter")
    func kinds() throws {
        let file = try written("lm_head", "llama", rows: 4)
        let text = message { _ = try GGUFConfiguration(file) }
        #expect(
            text == "\(place.path): 'general.type' is 'adapter': it has a lora adapter for "
                + "llama.cpp in it and no model")
        var writer = GGUFWriter()
        for type in ["model", nil] {
            if let type { writer.set("general.type", .text(type)) }
            try writer.write([], to: place) { _ in try .zeros([1]) }
            #expect(try GGUFAdapter(GGUFFile(place)) == nil)
        }
        writer.set("general.type", .count(3))
        try writer.write([], to: place) { _ in try .zeros([1]) }
        #expect(
            message { _ = try GGUFAdapter(GGUFFile(place)) }.contains("'general.type' is"))
    }
}
