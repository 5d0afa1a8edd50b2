import DualModels
import DualModules
import DualTorch
import Foundation

/// A small decoder of random weights, by a configuration as `config.json` has it.
public struct TinyDecoder: Sendable, CustomStringConvertible {
    public let description: String
    private let json: String

    private init(_ name: String, _ json: String) {
        description = name
        self.json = json
    }

    private static let llamaSizes = """
        "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, \
        "num_attention_heads": 4, "max_position_embeddings": 32, "initializer_range": 0.3
        """

    private static func llama(_ name: String, _ type: String, _ more: String) -> TinyDecoder {
        TinyDecoder(name, #"{"model_type": "\#(type)", \#(llamaSizes)\#(more)}"#)
    }

    /// Every architecture, with what sets its attention apart.
    public static let all = [
        llama("llama", "llama", ""),
        llama(
            "grouped and tied", "llama", #", "num_key_value_heads": 2, "tie_word_embeddings": true"#
        ),
        llama("mistral", "mistral", #", "num_key_value_heads": 2, "sliding_window": 3"#),
        llama(
            "qwen2", "qwen2",
            #", "num_key_value_heads": 1, "use_sliding_window": true, "sliding_window": 4, "#
                + #""max_window_layers": 1"#),
        llama("qwen3", "qwen3", #", "num_key_value_heads": 2, "head_dim": 8"#),
        gpt2(dropout: 0),
    ]

    public static func gpt2(dropout: Double) -> TinyDecoder {
        TinyDecoder(
            "gpt2",
            #"{"model_type": "gpt2", "vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 4, "#
                + #""n_positions": 32, "initializer_range": 0.3, "resid_pdrop": \#(dropout), "#
                + #""embd_pdrop": \#(dropout), "attn_pdrop": \#(dropout)}"#)
    }

    /// Many narrow layers: what they keep for a backward outweighs all else.
    public static let deep = TinyDecoder(
        "deep",
        #"{"model_type": "llama", "vocab_size": 40, "hidden_size": 32, "intermediate_size": 64, "#
            + #""num_hidden_layers": 24, "num_attention_heads": 4, "initializer_range": 0.1, "#
            + #""max_position_embeddings": 256}"#)

    /// The model, each time the same; its weights count as a checkpoint's, not as made anew.
    public func make(computeType: DType = .float32, seed: UInt64 = 1) throws -> any CausalModel {
        let folder = try TemporaryFolder()
        try write(to: folder.url, seed: seed)
        var options = ModelFolder.LoadOptions()
        options.computeType = computeType
        return try ModelFolder(folder.url).load(options).causalModel()
    }

    /// Writes the model as a folder that ``ModelFolder`` opens.
    public func write(to folder: URL, seed: UInt64 = 1) throws {
        let file = folder.appendingPathComponent("config.json")
        try Data(json.utf8).write(to: file)
        var options = ModelFolder.LoadOptions()
        (options.computeType, options.seed) = (.float32, seed)
        let configuration = try ConfigurationFile(file)
        let model = try ModelFolder.make(configuration, options).model
        // Norms and biases too, which a fresh model has at 1 and 0.
        for (index, parameter) in model.parameters.enumerated()
        where parameter.stored.shape.count == 1 {
            let noise = try Tensor.seeded(
                parameter.stored.shape, seed: seed &* 1000 &+ UInt64(index), deviation: 0.2)
            parameter.stored = .plain(try parameter.value + noise)
        }
        try ModelFolder.write(
            ModelFolder.checkpointWeights(of: model), fields: configuration.fields, head: nil,
            copying: [], to: folder)
    }
}
