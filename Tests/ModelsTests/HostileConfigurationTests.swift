import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

/// What a file says is checked before anything is sized by it: no number of a configuration stops the
/// process.
@Suite struct HostileConfigurationTests {
    private static let sizes = [
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings",
        "sliding_window", "max_window_layers", "type_vocab_size", "n_embd", "n_layer", "n_head",
        "n_positions", "n_inner", "num_labels", "pad_token_id", "original_max_position_embeddings",
    ]
    private static let others = [
        "model_type", "hidden_act", "activation_function", "tie_word_embeddings", "rope_scaling",
        "rope_parameters", "rope_theta", "layer_types", "use_sliding_window", "attention_bias",
        "mlp_bias", "attention_dropout", "attn_pdrop", "resid_pdrop", "embd_pdrop",
        "hidden_dropout_prob", "classifier_dropout", "rms_norm_eps", "layer_norm_eps",
        "layer_norm_epsilon", "initializer_range", "scale_attn_weights", "id2label", "is_decoder",
        "scale_attn_by_inverse_layer_idx", "quantization_config", "is_causal", "per_layer_config",
    ]

    /// The fields of a small model's `config.json`, each as JSON.
    private static func fields(of folder: URL) throws -> [String: String] {
        let data = try Data(contentsOf: folder.appendingPathComponent("config.json"))
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        return try object.mapValues {
            String(
                decoding: try JSONSerialization.data(
                    withJSONObject: $0, options: .fragmentsAllowed), as: UTF8.self)
        }
    }

    /// A folder of each architecture's small model.
    private static func folders(in place: TemporaryFolder) throws -> [URL] {
        var folders: [URL] = []
        for decoder in TinyDecoder.all {
            let folder = place.file("\(folders.count)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try decoder.write(to: folder)
            folders.append(folder)
        }
        let folder = place.file("bert")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Bert.tiny(labels: 2).write(to: folder)
        return folders + [folder]
    }

    /// Loads, runs and describes what a file says; an error must be a line that can be shown.
    /// - Returns: whether it was refused.
    private func isRefused(_ file: URL, weights: URL) throws -> Bool {
        do {
            let configuration = try ConfigurationFile(file)
            _ = try? ModelFolder.make(configuration, shapesOnly)
            let model = try ModelFolder.load(configuration, weights: weights).model
            try model.check(ids: [1, 2, 3])
            let batch = try TokenBatch(ids: [[1, 2, 3]], paddingID: 0)
            _ = try model.hiddenStates(batch, mode: .inference)
            return false
        } catch {
            let text = "\(error)"
            #expect(!text.isEmpty && text.count < 3000 && !text.contains("\n"), "\(text)")
            return true
        }
    }

    private var shapesOnly: ModelFolder.LoadOptions {
        var options = ModelFolder.LoadOptions()
        options.drawing = .shapesOnly
        return options
    }

    @Test("A configuration with any value anywhere loads and runs, or is refused in a line")
    func anyValue() throws {
        let place = try TemporaryFolder()
        let folders = try Self.folders(in: place)
        let fields = try folders.map(Self.fields)
        let file = place.file("config.json")
        var (inputs, refused) = (HostileInputs(seed: 1), 0)
        for number in 0..<HostileInputs.count {
            let chosen = number % folders.count
            // Sizes twice as often: they reach arithmetic.
            let text = inputs.object(
                fields[chosen], keys: Self.sizes + Self.sizes + Self.others)
            try Data(text.utf8).write(to: file)
            refused += try isRefused(file, weights: folders[chosen]) ? 1 : 0
        }
        #expect(refused > HostileInputs.count / 4 && refused < HostileInputs.count)
    }

    @Test("A configuration with any byte changed loads and runs, or is refused in a line")
    func anyByte() throws {
        let place = try TemporaryFolder()
        let folders = try Self.folders(in: place)
        let texts = try folders.map {
            [UInt8](try Data(contentsOf: $0.appendingPathComponent("config.json")))
        }
        let file = place.file("config.json")
        var (inputs, refused) = (HostileInputs(seed: 2), 0)
        for number in 0..<HostileInputs.count {
            let chosen = number % folders.count
            let text = texts[chosen]
            try Data(inputs.spoiled(text, within: text.indices)).write(to: file)
            refused += try isRefused(file, weights: folders[chosen]) ? 1 : 0
        }
        #expect(refused > HostileInputs.count / 4 && refused < HostileInputs.count)
    }

    @Test(
        "A number of layers beyond the checkpoint's names both numbers",
        arguments: ["3", "10000", "1000000000", "9223372036854775807"])
    func layers(_ number: String) throws {
        let folder = try TemporaryFolder()
        try TinyDecoder.all[0].write(to: folder.url)
        var fields = try Self.fields(of: folder.url)
        fields["num_hidden_layers"] = number
        let text = "{" + fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",") + "}"
        try folder.write(text, to: "config.json")
        let found = message { _ = try ModelFolder(folder.url).load() }
        #expect(found.contains("'num_hidden_layers' is \(number), but must be at most "))
    }

    @Test("A model that memory has no room for is refused before it is drawn")
    func tooLarge() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            #"{"model_type": "llama", "vocab_size": 2000000000, "hidden_size": 1000000}"#,
            to: "config.json")
        let file = try ConfigurationFile(folder.file("config.json"))
        let drawn = message { _ = try ModelFolder.make(file) }
        #expect(drawn.contains("config.json asks for weights of ") && drawn.contains("of memory"))
        let written = message {
            _ = try ModelFolder.writeRandom(file, dtype: .float32, seed: 0, to: folder.url)
        }
        #expect(written.contains("of free disk"))
    }
}
