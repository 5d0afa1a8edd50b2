import DualJSON
import DualTokenization
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualGGUF

@Suite struct GGUFWriterTests {
    private let folder: TemporaryFolder
    private var place: URL { folder.file("x.gguf") }

    init() throws { folder = try TemporaryFolder() }

    private static var llama: [String: Any] {
        [
            "model_type": "llama", "hidden_size": 16, "num_hidden_layers": 1,
            "max_position_embeddings": 64, "intermediate_size": 24, "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 8, "vocab_size": 7, "rms_norm_eps": 1e-5,
            "rope_theta": 500000.0, "bos_token_id": 1,
        ]
    }

    /// A byte-level tokenizer's files.
    private func tokenizerFiles() throws -> ModelFiles {
        var pre = PreTokenization.all[2].field
        pre.set("comment", "llama-bpe")
        try folder.write(
            """
            {"added_tokens": [
               {"id": 4, "content": "<think>", "special": false, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false},
               {"id": 5, "content": "<end>", "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false}],
             "pre_tokenizer": \(pre.text), "decoder": {"type": "ByteLevel"},
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"Sequence": {"id": "A", "type_id": 0}},
                          {"SpecialToken": {"id": "<end>", "type_id": 0}}],
               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
               "special_tokens": {"<end>": {"id": "<end>", "ids": [5], "tokens": ["<end>"]}}},
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3},
                       "merges": [["a", "b"]]}}
            """, to: "tokenizer.json")
        try folder.write(#"{"eos_token": {"content": "<end>"}}"#, to: "tokenizer_config.json")
        try folder.write("{{ messages }}", to: "chat_template.jinja")
        return ModelFiles(folder: folder.url)
    }

    @Test("What is written is read again: keys, tensors, types")
    func roundTrip() throws {
        var writer = GGUFWriter()
        writer.set("a.text", .text("ß"))
        writer.set("a.numbers", .numbers([0.5, -1]))
        writer.set("a.text", .text("ä"))
        let entries = [
            GGUFWriter.Entry(name: "plain", type: .f32, shape: [3]),
            GGUFWriter.Entry(name: "blocks", type: .q8_0, shape: [2, 32]),
            GGUFWriter.Entry(name: "half", type: .bf16, shape: [2, 3]),
        ]
        try writer.write(entries, to: place) { entry in
            switch entry.name {
            case "plain": try Tensor([Float(1), 2, 3])
            case "blocks": try Tensor((0..<68).map { UInt8($0) }, [2, 34])
            default: try Tensor.seeded([2, 3], seed: 1).to(.bfloat16)
            }
        }
        let file = try GGUFFile(place)
        #expect(file.keys == ["a.text", "a.numbers"])
        #expect(try file.text("a.text") == "ä" && file.numbers("a.numbers") == [0.5, -1])
        #expect(file.tensors.map(\.shape) == [[3], [2, 32], [2, 3]])
        #expect(file.tensors.map(\.type) == [.f32, .q8_0, .bf16])
        #expect(try file.tensor("blocks").array(of: UInt8.self) == (0..<68).map { UInt8($0) })
        let half = try Tensor.seeded([2, 3], seed: 1).to(.bfloat16)
        #expect(try file.tensor("half").hasSameElements(as: half))
    }

    @Test("A tensor that is not what its entry says, or that blocks do not fill, leaves no file")
    func wrong() throws {
        let writer = GGUFWriter()
        for entry in [
            GGUFWriter.Entry(name: "x", type: .q4_0, shape: [2, 48]),
            GGUFWriter.Entry(name: "x", type: .f16, shape: [3]),
        ] {
            #expect(throws: GGUFError.self) {
                try writer.write([entry], to: place) { _ in try Tensor([Float(0)]) }
            }
        }
        #expect(folder.contents == [])
    }

    @Test("A model's configuration, tokenizer and template are what is read of its file")
    func model() throws {
        let files = try tokenizerFiles()
        let model = try GGUFModelWriter(
            fields: Self.llama, files: files, base: nil, type: .f32, name: "tiny")
        try model.metadata.write([], to: place) { _ in try Tensor([Float(0)]) }
        let file = try GGUFFile(place)
        let fields = try GGUFConfiguration(file).fields()
        for (key, value) in Self.llama where !["rms_norm_eps", "bos_token_id"].contains(key) {
            #expect("\(fields[key] ?? "missing")" == "\(value)", "\(key)")
        }
        #expect(try file.text("tokenizer.ggml.pre") == "llama-bpe")
        #expect(try file.texts("tokenizer.ggml.tokens")?.last == "[PAD6]")
        let read = try ModelFiles(of: place)
        let (own, other) = (try Tokenizer.load(from: files), try Tokenizer.load(from: read))
        for text in ["ab ba", "a<think>b<end>", "", "ab<end>"] {
            #expect(try own.encode(text).ids == other.encode(text).ids, "\(text)")
        }
        #expect(other.endOfTextID == 5 && other.isSpecial(5) && !other.isSpecial(4))
        #expect(try read.data("chat_template.jinja") == files.data("chat_template.jinja"))
    }

    @Test("Weights that are written and read are the same, whatever the order of rows between")
    func weights() throws {
        for type in ["llama", "qwen2", "gpt2"] {
            var fields = Self.llama
            fields["model_type"] = type
            if type == "gpt2" {
                fields = [
                    "model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2,
                    "n_positions": 64, "vocab_size": 7,
                ]
            }
            let model = try GGUFModelWriter(
                fields: fields, files: ModelFiles(folder: folder.url), base: nil, type: .f32,
                name: "tiny")
            let weights: [String: [Int]] =
                type == "gpt2"
                ? [
                    "transformer.h.0.mlp.c_fc.weight": [16, 64],
                    "transformer.h.0.mlp.c_fc.bias": [64],
                ]
                : [
                    "model.layers.0.self_attn.q_proj.weight": [16, 16],
                    "model.layers.0.self_attn.k_proj.weight": [8, 16],
                    "model.layers.0.self_attn.k_proj.bias": [8], "lm_head.weight": [7, 16],
                ]
            let names = weights.keys.sorted()
            let entries = try names.map {
                try #require(model.entry($0, shape: weights[$0] ?? [], type: .f32))
            }
            var next = names.makeIterator()
            try model.metadata.write(entries, to: place) { _ in
                let name = next.next() ?? ""
                return try model.arranged(Tensor.seeded(weights[name] ?? [], seed: 3), name)
            }
            let checkpoint = try GGUFCheckpoint(GGUFFile(place))
            #expect(checkpoint.names == names)
            for name in names {
                let stored = try checkpoint.tensor(name)
                let found =
                    stored.isTransposed ? try stored.elements.transposed() : stored.elements
                let expected = try Tensor.seeded(weights[name] ?? [], seed: 3)
                #expect(checkpoint.shape(of: name) == expected.shape)
                #expect(try found.contiguous().hasSameElements(as: expected), "\(type) \(name)")
            }
        }
    }

    @Test("Stretched positions are written and read again")
    func positions() throws {
        for scaling: [String: Any] in [
            [
                "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
            ],
            ["rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32],
            ["rope_type": "linear", "factor": 2.0],
        ] {
            var fields = Self.llama
            fields["rope_scaling"] = scaling
            fields["head_dim"] = 64
            let model = try GGUFModelWriter(
                fields: fields, files: ModelFiles(folder: folder.url), base: nil, type: .f32,
                name: "tiny")
            let tensors = try model.configurationTensors()
            try model.metadata.write(tensors.map(\.0), to: place) { _ in tensors[0].1 }
            let read = try GGUFConfiguration(GGUFFile(place)).fields()
            let found = try #require(read["rope_scaling"] as? [String: Any])
            #expect(NSDictionary(dictionary: found) == NSDictionary(dictionary: scaling))
        }
    }

    @Test("A rule of LLaMA 3 is read whose few frequencies leave its length open")
    func fewFrequencies() {
        let written = LongRule(factor: 8, low: 1, high: 4, length: 16)
        let wavelengths = (0..<4).map { 2 * Double.pi * pow(500, Double($0) / 4) }
        let factors = wavelengths.map(written.value(at:))
        let found = LongRule.candidates(factors, wavelengths).first {
            $0.gives(factors, wavelengths)
        }
        #expect(found?.length == 16)
    }

    @Test("A model without a place in the format is refused by its type")
    func refused() {
        let text = message {
            _ = try GGUFModelWriter(
                fields: ["model_type": "bert"], files: ModelFiles(folder: folder.url), base: nil,
                type: .f32, name: "x")
        }
        #expect(text.contains("'model_type' is bert"), "\(text)")
    }
}
