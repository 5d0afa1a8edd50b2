import DualDatasets
import DualModels
import DualTokenization
import DualTorch
import DualTraining

/// An example of a task in the model's own numbers.
public struct EncodedExample: Sendable {
    public let ids: [Int]
    public let typeIDs: [Int]
    public let label: Label

    /// Encodes the examples of a task; longer ones are cut to `maximumLength` tokens.
    /// - Throws: `TokenizerError`, or ``ModelError`` for a token that the model does not know.
    public static func encode(
        _ examples: [Example], with tokenizer: Tokenizer, for model: any SequenceModel,
        maximumLength: Int
    ) throws -> [EncodedExample] {
        let limit = min(maximumLength, model.maximumLength ?? maximumLength)
        return try examples.map { example in
            let encoding = try tokenizer.encode(
                example.text, pair: example.pair, maximumLength: limit)
            try model.check(ids: encoding.ids)
            try model.check(typeIDs: encoding.typeIDs)
            return EncodedExample(
                ids: encoding.ids, typeIDs: encoding.typeIDs, label: example.label)
        }
    }
}

extension TokenBatch {
    /// The examples of `indices` as one padded batch.
    init(
        _ examples: [EncodedExample], _ indices: [Int], paddingID: Int, device: Device
    ) throws {
        try self.init(
            indices.map { (examples[$0].ids, examples[$0].typeIDs) }, paddingID: paddingID,
            device: device)
    }
}

extension Fingerprint {
    /// Adds the tokens and the labels.
    mutating func add(_ examples: [EncodedExample]) {
        for example in examples {
            add(example.ids.count)
            for number in example.ids + example.typeIDs { add(number) }
            switch example.label {
            case .category(let category): add(category)
            case .score(let score): add(score.bitPattern)
            }
        }
    }
}
