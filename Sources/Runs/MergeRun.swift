import DualAdapters
import DualChat
import DualGGUF
import DualJSON
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// Adds an adapter to its model's weights and writes the model: what `duallora merge` does.
public struct MergeRun {
    public var model: URL
    public var adapters: [AdaptedModel.Source]
    public var output: URL
    /// The type of the merged model's weights, float32 or bfloat16; nil for the types that the model has.
    public var dtype: DType?
    /// The type of the matrices of one GGUF file, which is written in place of a folder; nil for a folder.
    public var gguf: GGUFType?
    /// Compares the written model with the adapted one before it gets its name.
    public var verify = true
    /// Whether the output folder may have files in it. Those of the names that are written are replaced,
    /// and a tokenizer or a template of the model that stood there goes with it; all others stay.
    public var overwrite = false
    /// What the weights of linear layers but the head are quantised to before the adapter is added, as when it was
    /// trained; nil for what they are.
    public var quantization: BlockFormat?

    public init(model: URL, adapter: URL, output: URL) {
        self.init(model: model, adapters: [AdaptedModel.Source(adapter)], output: output)
    }

    /// Several adapters, whose changes are added, each multiplied by its weight.
    public init(model: URL, adapters: [AdaptedModel.Source], output: URL) {
        self.model = model
        self.adapters = adapters
        self.output = output
    }

    public struct Result: Sendable {
        public let notes: [String]
        /// The largest difference of an output, and the most that is let pass (of a GGUF file any: its weights are
        /// compared); nil unverified.
        public let difference: (found: Double, allowed: Double)?
        public let tensors: Int
        /// The type of the merged weights: `bfloat16`, or one of GGUF's, `q8_0`.
        public let typeName: String
        /// What rounding to that type loses of every layer's change, in the model's order.
        public let losses: [ChangeLoss]

        /// ‖round(W + ΔW) − (W + ΔW)‖ / ‖ΔW‖ over all merged weights.
        public var lostShare: Double { losses.lostShare }
        /// The layer that loses the largest share of its change.
        public var worst: ChangeLoss? { losses.max { $0.share < $1.share } }

        /// The share of a change above which its loss is worth a warning.
        static let noticedShare = 0.1

        /// That much of the change is lost, if it is.
        public var warning: String? {
            guard lostShare > Self.noticedShare else { return nil }
            let share = String(format: "%.0f %%", 100 * lostShare)
            let keeping = DType(rawValue: typeName) == nil ? "`type` f32" : "`dtype` float32"
            return "the change is so small beside the weights that \(typeName) loses "
                + "\(share) of it; \(keeping) keeps it, and so does the adapter unmerged"
        }
    }

    /// - Throws: ``MergeError`` when the merged model does not say what the adapted one does, and
    ///   ``RunError/holdsFiles(folder:files:)``; then, as after any error, nothing is written.
    public func run() throws -> Result {
        try checkPlaces()
        if let gguf { return try writeGGUF(as: gguf) }
        return try OutputFolder.making(output, overwrites: overwrite) { folder, aside in
            let result = try write(to: aside)
            folder.removeModel(butFor: aside)
            return result
        }
    }

    private func write(to aside: URL) throws -> Result {
        let loaded = try load(model, adapters, quantization)
        try loaded.adapters.checkMerges()
        let special = try SpecialTokenAlignment(loaded.tokenizer)
        let probes = try OutputProbes(for: loaded.model)
        let expected = verify ? try probes.outputs(of: loaded.model) : []
        let hasBlocks = loaded.model.hasBlocks
        let dtype = self.dtype ?? (hasBlocks ? Self.typeBesideBlocks : nil)
        let losses = try loaded.adapters.mergeForGood(as: dtype)
        let mergedType = loaded.model.linears.first?.weight.stored.numberType ?? .float32
        let weights = try ModelFolder.checkpointWeights(of: loaded.model, as: dtype)
        try ModelFolder.write(
            weights, as: dtype, fields: special.aligned(loaded.fields),
            head: (loaded.model as? any SequenceModel)?.head.map {
                headMeaning(outputs: $0.outputSize, loaded)
            },
            copying: [], to: aside)
        try loaded.tokenizer.files().copy(Tokenizer.fileNames, to: aside)
        try loaded.folder.files.copy(ModelFolder.companionNames, to: aside)
        try special.alignGeneration(in: aside)
        if Tokenizer.isIn(aside) { try Tokenizer.complete(aside) }
        try copyTemplate(to: aside)
        let rounding =
            verify && hasBlocks ? try roundingOfBlocks(to: mergedType, probes) : 0
        let difference = verify ? try check(aside, probes, expected, rounding) : nil
        return Result(
            notes: loaded.notes, difference: difference, tensors: weights.count,
            typeName: (dtype ?? mergedType).rawValue, losses: losses)
    }

    /// What merged weights are written in where the model's are quantised blocks, which sums are never rounded
    /// back into.
    private static let typeBesideBlocks = DType.bfloat16

    /// The chat template of the first adapter that has one, else the model's.
    private func copyTemplate(to folder: URL) throws {
        for source in adapters.map(\.folder) + [model]
        where try ChatTemplate.copy(from: ModelFiles(of: source), to: folder) { return }
    }

    private func checkPlaces() throws {
        try MergeError.check(
            output, isNoneOf: [(model, "model")] + adapters.map { ($0.folder, "adapter") })
    }

    func load(
        _ model: URL, _ adapters: [AdaptedModel.Source], _ quantization: BlockFormat?
    ) throws -> AdaptedModel {
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        // Beside what the model will be, its sums must not be rounded to what it was.
        options.weights = dtype == .float32 ? .float32 : .stored
        options.quantization = quantization
        return try AdaptedModel.load(model: model, adapters: adapters, options: options)
    }

    /// The largest difference that it makes to the model's outputs, without an adapter, that its blocks are
    /// written in a type.
    private func roundingOfBlocks(to dtype: DType, _ probes: OutputProbes) throws -> Double {
        let base = try load(model, [], quantization).model
        let before = try probes.outputs(of: base)
        for parameter in base.parameters where parameter.stored.isBlocks {
            parameter.stored = .plain(try parameter.stored.dense(as: dtype))
        }
        return try zip(before, probes.outputs(of: base)).map { try $0.largestDifference(to: $1) }
            .max() ?? 0
    }

    /// Loads what was written and compares what it says.
    /// - Parameter rounding: a difference that is explained by what the base's blocks are written in.
    private func check(
        _ folder: URL, _ probes: OutputProbes, _ expected: [Tensor], _ rounding: Double
    ) throws -> (found: Double, allowed: Double) {
        let merged = try load(folder, [], nil)
        let stored = merged.model.linears.first?.weight.stored.numberType ?? .float32
        let largest = try expected.largestMagnitude()
        // Weights of 8 or 11 bits are rounded once more than those of the adapted model.
        let bound =
            switch stored {
            case .bfloat16: 5e-2 * max(1, largest)
            case .float16: 1e-2 * max(1, largest)
            default: 1e-5 * max(1, largest)
            }
        // The largest of many differences that have one cause varies by more than a factor of two.
        return try compare(
            expected, probes.outputs(of: merged.model), allowed: bound + 4 * rounding)
    }

    /// - Throws: ``MergeError/differs(found:allowed:)``.
    func compare(
        _ expected: [Tensor], _ outputs: [Tensor], allowed: Double
    ) throws -> (found: Double, allowed: Double) {
        var found = 0.0
        for (before, after) in zip(expected, outputs) {
            let difference = try before.largestDifference(to: after)
            // Not the other way round: a difference that is no number is none that may pass.
            guard difference <= allowed else {
                throw MergeError.differs(found: difference, allowed: allowed)
            }
            found = max(found, difference)
        }
        return (found, allowed)
    }

    /// What the head predicts: the configuration's names if it has as many, else numbers.
    private func headMeaning(outputs: Int, _ loaded: AdaptedModel) -> ModelFolder.HeadMeaning {
        if outputs == 1 { return .regression }
        let named = loaded.folder.configuration.fields["id2label"] as? [String: String] ?? [:]
        let names = (0..<outputs).compactMap { named[String($0)] }
        return .classes(names.count == outputs ? names : (0..<outputs).map { "LABEL_\($0)" })
    }
}

extension [Tensor] {
    /// The largest absolute value of all; 0 for none.
    func largestMagnitude() throws -> Double {
        try map { try $0.magnitude().maximum().item() }.max() ?? 0
    }
}
