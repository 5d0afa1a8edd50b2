import DualModels
import DualModules
import DualTorch
import Foundation
import Testing

/// A small checkpoint, sequences, and what transformers computes of them in float64
/// (`Tests/Parity/make_model_goldens.py`).
struct ModelGolden {
    /// The sequences of a golden.
    struct Case: Decodable {
        var rows: [[Int]]
        var types: [[Int]]
        /// The class of each sequence, for models that have classes.
        var labels: [Int]
        /// The side that is padded.
        var side: String
    }

    let folder: URL
    let sequences: Case
    let expected: SafetensorsFile

    init(_ name: String) throws {
        folder = try #require(
            Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Goldens"))
        sequences = try JSONDecoder().decode(
            Case.self, from: Data(contentsOf: folder.appendingPathComponent("case.json")))
        expected = try SafetensorsFile(folder.appendingPathComponent("expected.safetensors"))
    }

    func model(_ dtype: DType) throws -> any TransformerModel {
        var options = ModelFolder.LoadOptions()
        options.computeType = dtype
        let loaded = try ModelFolder(folder).load(options)
        #expect(loaded.created.isEmpty && loaded.unused.isEmpty)
        return loaded.model
    }

    /// All sequences in one batch.
    func batch() throws -> TokenBatch {
        try TokenBatch(
            zip(sequences.rows, sequences.types).map { (ids: $0, typeIDs: $1) }, paddingID: 0,
            side: #require(TokenBatch.Side(rawValue: sequences.side)))
    }

    /// The mean of -log p of each sequence's tokens but the first, or of its class.
    func loss(of model: any TransformerModel) throws -> Tensor {
        let isDecoder = model is any CausalModel
        let logits = try zip(sequences.rows, sequences.types).map { ids, types in
            let logits = try model.logits(TokenBatch([(ids: ids, typeIDs: types)], paddingID: 0))
            return isDecoder ? try logits.selecting(0).slice(0..<ids.count - 1) : logits
        }
        let labels = isDecoder ? sequences.rows.flatMap { $0.dropFirst() } : sequences.labels
        return try Tensor.joined(logits, along: 0).crossEntropy(Tensor(labels))
    }

    /// - Parameter tolerance: of an element, where the greatest is 1 or less.
    func expectClose(_ found: Tensor, to name: String, within tolerance: Double) throws {
        let golden = try expected.tensor(name).to(.float64)
        #expect(found.shape == golden.shape, "\(name)")
        let size = try max(1, golden.magnitude().maximum().item())
        let difference = try found.largestDifference(to: golden)
        #expect(difference <= tolerance * size, "\(name)")
    }
}

@Suite struct ModelGoldenTests {
    static let names = ["llama", "gpt2", "bert"]
    /// Of what is computed in each type. Goldens are kept in float32, and rotary angles computed in it.
    static let tolerances: [(DType, Double)] = [(.float64, 1e-6), (.float32, 1e-5)]

    @Test("Hidden states and logits are the reference's", arguments: names, tolerances)
    func outputs(_ name: String, _ tolerance: (DType, Double)) throws {
        let (golden, (dtype, bound)) = (try ModelGolden(name), tolerance)
        let (model, batch) = (try golden.model(dtype), try golden.batch())
        let tokens = try #require(batch.mask).expandedDimension(at: -1).to(dtype)
        let hidden = try model.hiddenStates(batch, mode: .inference)
        try golden.expectClose(hidden * tokens, to: "hidden", within: bound)
        let logits = try model.logits(batch)
        try golden.expectClose(
            model is any CausalModel ? logits * tokens : logits, to: "logits", within: bound)
    }

    @Test("A loss and its gradients are the reference's", arguments: names, tolerances)
    func gradients(_ name: String, _ tolerance: (DType, Double)) throws {
        let (golden, (dtype, bound)) = (try ModelGolden(name), tolerance)
        let model = try golden.model(dtype)
        for parameter in model.parameters { try parameter.value.requireGradient() }
        let loss = try golden.loss(of: model)
        try golden.expectClose(loss, to: "loss", within: bound)
        try loss.backward()
        let kept = golden.expected.names.filter { $0.hasPrefix("gradient.") }
        #expect(kept.count > 5)
        for key in kept {
            let parameter = try #require(
                model.parameters.first { key == "gradient." + $0.name }, "\(key)")
            let gradient = try #require(try parameter.value.gradient(), "\(key)")
            try golden.expectClose(
                parameter.storage == .transposed ? gradient.transposed() : gradient, to: key,
                within: bound)
        }
    }

    @Test("A cache gives the reference's logits of the last two tokens", arguments: names)
    func cache(_ name: String) throws {
        let golden = try ModelGolden(name)
        guard let model = try golden.model(.float32) as? any CausalModel else { return }
        let (ids, rows) = (try golden.batch().ids, golden.sequences.rows)
        let length = ids.size(1)
        let cache = try model.makeCache(
            leftPadding: rows.map { length - $0.count }, capacity: length)
        for tokens in [0..<length - 1, length - 1..<length] {
            let logits = try model.nextLogits(ids.slice(tokens, along: 1), cache: cache)
            let all = try golden.expected.tensor("logits")
            #expect(
                try logits.isClose(
                    to: all.selecting(tokens.upperBound - 1, along: 1), absolute: 1e-4))
        }
    }
}
