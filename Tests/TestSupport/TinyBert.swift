import DualModels
import DualModules
import DualTorch
import Foundation

extension BertConfiguration {
    /// Two layers, as small as BERT gets while every size still differs from its neighbours.
    public static func tiny(vocabulary: Int = 40, dropout: Double = 0) -> BertConfiguration {
        var configuration = BertConfiguration()
        configuration.vocabularySize = vocabulary
        configuration.hiddenSize = 12
        configuration.layers = 2
        configuration.heads = 3
        configuration.intermediateSize = 20
        configuration.maximumPositions = 24
        configuration.hiddenDropout = dropout
        configuration.attentionDropout = dropout
        configuration.initializerRange = 0.3
        return configuration
    }
}

extension Bert {
    /// Random weights throughout, biases and norms too, which a fresh model has at 0 and 1.
    public static func tiny(
        labels: Int = 2, computeType: DType = .float32, dropout: Double = 0, seed: UInt64 = 1
    ) throws -> Bert {
        let bert = try random(
            .tiny(dropout: dropout), labels: labels, computeType: computeType, seed: seed)
        for (index, parameter) in bert.parameters.enumerated()
        where parameter.stored.shape.count == 1 {
            let noise = try Tensor.seeded(
                parameter.stored.shape, seed: seed &* 1000 &+ UInt64(index), deviation: 0.2)
            parameter.stored = .plain(try parameter.value + noise)
        }
        return bert
    }

    /// The same as a checkpoint gives it: no weight was made here.
    public static func tinyCheckpoint(dropout: Double = 0) throws -> any TransformerModel {
        let folder = try TemporaryFolder()
        try tiny(dropout: dropout).write(to: folder.url)
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        return try ModelFolder(folder.url).load(options).model
    }

    /// Writes the model as a folder that ``ModelFolder`` opens.
    public func write(to folder: URL, head: ModelFolder.HeadMeaning? = nil) throws {
        let outputs = self.head?.outputSize ?? 0
        let meaning: ModelFolder.HeadMeaning =
            outputs == 1 ? .regression : .classes((0..<outputs).map { "LABEL_\($0)" })
        try ModelFolder.write(
            ModelFolder.checkpointWeights(of: self), fields: configuration.fields,
            head: head ?? (outputs == 0 ? nil : meaning), copying: [], to: folder)
    }
}

extension TokenBatch {
    /// Sequences of the given lengths of random tokens, the second half of each of type 1.
    public static func seeded(
        lengths: [Int], vocabulary: Int = 40, seed: UInt64 = 1
    ) throws -> TokenBatch {
        try TokenBatch(
            sequences(lengths: lengths, vocabulary: vocabulary, seed: seed), paddingID: 0)
    }

    public static func sequences(
        lengths: [Int], vocabulary: Int = 40, seed: UInt64 = 1
    ) throws -> [(ids: [Int], typeIDs: [Int])] {
        try lengths.enumerated().map { index, length in
            let ids = try seededIntegers(length, in: 1..<vocabulary, seed: seed &+ UInt64(index))
            return (ids: ids, typeIDs: ids.indices.map { $0 < length / 2 ? 0 : 1 })
        }
    }
}
