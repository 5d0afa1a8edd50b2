import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// A small model of each architecture, in a folder, with examples that it can learn.
struct TinyModel: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// nil for BERT.
    private let decoder: TinyDecoder?

    static let all =
        TinyDecoder.all.map { TinyModel(testDescription: $0.description, decoder: $0) }
        + [TinyModel(testDescription: "bert", decoder: nil)]

    /// The model, each time the same; its weights count as a checkpoint's.
    func make(computeType: DType = .float32) throws -> any TransformerModel {
        if let decoder { return try decoder.make(computeType: computeType) }
        let folder = try TemporaryFolder()
        try Bert.tiny().write(to: folder.url)
        var loading = ModelFolder.LoadOptions()
        loading.computeType = computeType
        return try ModelFolder(folder.url).load(loading).model
    }

    /// Three sequences of different lengths, padded.
    func batch() throws -> TokenBatch { try .seeded(lengths: [6, 3, 5], vocabulary: 40, seed: 2) }

    /// Few enough examples to be learnt in a few steps.
    func examples() throws -> any TrainingSet {
        guard decoder != nil else {
            let sequences = try TokenBatch.sequences(lengths: (0..<8).map { 3 + $0 % 4 })
            return SentenceSet(
                ToyTask.self,
                sequences.enumerated().map {
                    EncodedExample(ids: $1.ids, typeIDs: $1.typeIDs, label: .category($0 % 2))
                }, paddingID: 0)
        }
        let sequences = try (0..<8).map {
            try seededIntegers(4 + $0 % 3, in: 0..<40, seed: UInt64($0))
        }
        return CompletionSet(
            sequences, rowLength: 24, layout: SequenceLayout(isPacked: true, paddingID: 0))
    }
}
