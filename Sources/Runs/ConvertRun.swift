import DualAdapters
import DualGGUF
import DualModels
import DualTokenization
import DualTorch
import DualTraining
import Foundation

/// Writes an adapter as LoRA, the best of a rank where it is another: what `duallora convert` does.
public struct ConvertRun {
    public var model: URL
    public var adapter: URL
    public var output: URL
    /// Of the LoRA; nil writes an adapter that is one as it is.
    public var rank: Int?
    /// The type of the numbers of one GGUF file, which is written in place of a folder; nil for a folder.
    public var gguf: GGUFType?
    /// What the base is called, where its folder's path does not say it and the adapter neither.
    public var baseName: String?
    /// Whether the output folder may have files in it. An adapter that stands there is replaced, all else
    /// stays.
    public var overwrite = false

    public init(model: URL, adapter: URL, output: URL, rank: Int? = nil) {
        self.model = model
        self.adapter = adapter
        self.output = output
        self.rank = rank
    }

    public struct Result: Sendable {
        public let notes: [String]
        public let losses: [LowRankConversion.Loss]
        /// The lost share of all layers' changes together, in the Frobenius norm.
        public let lostShare: Double
        /// ‖f' - f‖ / ‖f - f₀‖ of the outputs for random sequences: f of the adapter, f' of the LoRA, f₀
        /// of the base with the adapter's head. 1 would be as far from the adapter as the base is.
        public let lostOutputShare: Double
        /// The largest of its layers.
        public let rank: Int
    }

    /// - Parameter progress: gets every layer's loss when it is known.
    /// - Throws: ``AdapterError``, ``TrainingError``, ``ConvertError``,
    ///   ``RunError/holdsFiles(folder:files:)``; then nothing is written.
    public func run(
        progress: (LowRankConversion.Loss) throws -> Void = { _ in }
    ) throws -> Result {
        if let rank, !(1...65_536 ~= rank) {
            throw TrainingError.badOption(name: "rank", reason: "\(rank) is not from 1 to 65536")
        }
        try MergeError.check(output, isNoneOf: [(model, "model"), (adapter, "adapter")])
        if let gguf { return try writeGGUF(as: gguf, progress) }
        guard let rank else {
            throw TrainingError.badOption(name: "rank", reason: "say that of the LoRA")
        }
        return try OutputFolder.making(output, overwrites: overwrite) { _, aside in
            try write(rank, to: aside, progress)
        }
    }

    private func write(
        _ rank: Int, to aside: URL, _ progress: (LowRankConversion.Loss) throws -> Void
    ) throws -> Result {
        let (loaded, set) = try load()
        let probes = try OutputProbes(for: loaded.model)
        let adapted = try probes.outputs(of: loaded.model)
        let conversion = try LowRankConversion(of: set, rank: rank, progress: progress)
        let lostOutputs = try lostShare(
            ofOutputs: adapted, probes, loaded.model, from: set, to: conversion.adapter)
        let source = try AdapterFolder(adapter)
        try AdapterFolder.write(
            conversion.adapter, task: source.task,
            baseModel: source.baseModel ?? baseName ?? model.relativePath,
            baseRevision: source.baseRevision, to: aside)
        // Tokens that the adapter brings rows for mean something with its tokenizer alone.
        try Tokenizer.copyFiles(from: adapter, to: aside)
        return Result(
            notes: loaded.notes, losses: conversion.losses, lostShare: conversion.lostShare,
            lostOutputShare: lostOutputs, rank: rank)
    }

    /// The model with the adapter in it.
    func load() throws -> (loaded: AdaptedModel, set: AdapterSet) {
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        options.weights = .stored
        let loaded = try AdaptedModel.load(model: model, adapter: adapter, options: options)
        guard let set = loaded.adapter else { throw AdapterError.noAdapter(folder: adapter.path) }
        return (loaded, set)
    }

    /// ``Result/lostOutputShare``; the model has the LoRA in it then.
    /// - Parameter adapted: what it says with the adapter.
    func lostShare(
        ofOutputs adapted: [Tensor], _ probes: OutputProbes, _ model: any TransformerModel,
        from set: AdapterSet, to lora: AdapterSet
    ) throws -> Double {
        // The base with the head that the adapter brings: what is compared is the layers' change.
        set.takeOutParts()
        let base = try probes.outputs(of: model)
        lora.putIn()
        let converted = try probes.outputs(of: model)
        let (change, lost) = (try distance(adapted, base), try distance(converted, adapted))
        guard change.isFinite, lost.isFinite else {
            throw AdapterError.notFinite(place: "the outputs of the adapted model")
        }
        return change > 0 ? lost / change : 0
    }

    private func distance(_ left: [Tensor], _ right: [Tensor]) throws -> Double {
        // The last output is the logits where there are any.
        guard let a = left.last, let b = right.last else { return 0 }
        return try (a - b).norm().item()
    }
}
