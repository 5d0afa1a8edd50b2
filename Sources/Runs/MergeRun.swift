import DualAdapters
import DualChat
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
    /// Compares the written model with the adapted one before it gets its name.
    public var verify = true

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
        /// The largest difference of an output, and the most that is let pass; nil unverified.
        public let difference: (found: Double, allowed: Double)?
        public let tensors: Int
    }

    /// - Throws: ``MergeError`` when the merged model does not say what the adapted one does; then,
    ///   as after any error, nothing is written.
    public func run() throws -> Result {
        try checkPlaces()
        let loaded = try load(model, adapters)
        try loaded.adapters.checkMerges()
        let probes = try OutputProbes(for: loaded.model)
        let expected = verify ? try probes.outputs(of: loaded.model) : []
        try loaded.adapters.mergeForGood()
        let weights = try ModelFolder.checkpointWeights(of: loaded.model)
        let folder = try OutputFolder(output)
        let aside = output.appendingPathComponent(".merge-\(UInt64.random(in: 0...UInt64.max))")
        defer { try? FileManager.default.removeItem(at: aside) }
        do {
            try FileManager.default.createDirectory(at: aside, withIntermediateDirectories: true)
            try ModelFolder.write(
                weights, fields: fields(loaded),
                head: (loaded.model as? any SequenceModel)?.head.map {
                    headMeaning(outputs: $0.outputSize, loaded)
                },
                copying: (Tokenizer.fileNames + ModelFolder.companionNames)
                    .map(model.appendingPathComponent), to: aside)
            try Tokenizer.complete(aside)
            try copyTemplate(to: aside)
            let difference = verify ? try check(aside, probes, expected) : nil
            try moveFiles(from: aside)
            return Result(notes: loaded.notes, difference: difference, tensors: weights.count)
        } catch {
            folder.removeIfCreated()
            throw error
        }
    }

    private func fields(_ loaded: AdaptedModel) -> [String: Any] {
        var fields = loaded.folder.configuration.fieldsWithNulls
        if loaded.model.slots.tiedHead?.isApart ?? false { fields["tie_word_embeddings"] = false }
        return fields
    }

    /// The chat template of the first adapter that has one, else the model's.
    private func copyTemplate(to folder: URL) throws {
        for source in adapters.map(\.folder) + [model]
        where try ChatTemplate.copy(from: source, to: folder) { return }
    }

    private func checkPlaces() throws {
        try MergeError.check(
            output, isNoneOf: [(model, "model")] + adapters.map { ($0.folder, "adapter") })
    }

    private func load(_ model: URL, _ adapters: [AdaptedModel.Source]) throws -> AdaptedModel {
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        options.weights = .stored
        return try AdaptedModel.load(model: model, adapters: adapters, options: options)
    }

    /// Loads what was written and compares what it says.
    private func check(
        _ folder: URL, _ probes: OutputProbes, _ expected: [Tensor]
    ) throws -> (found: Double, allowed: Double) {
        let merged = try load(folder, [])
        let stored = merged.model.linears.first?.weight.value.dtype ?? .float32
        let largest = try expected.map { try $0.magnitude().maximum().item() }.max() ?? 0
        // Weights of 8 or 11 bits are rounded once more than those of the adapted model.
        let allowed =
            switch stored {
            case .bfloat16: 5e-2 * max(1, largest)
            case .float16: 1e-2 * max(1, largest)
            default: 1e-5 * max(1, largest)
            }
        var found = 0.0
        for (before, after) in zip(expected, try probes.outputs(of: merged.model)) {
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

    private func moveFiles(from aside: URL) throws {
        let manager = FileManager.default
        for name in try manager.contentsOfDirectory(atPath: aside.path).sorted() {
            let (from, to) = (
                aside.appendingPathComponent(name), output.appendingPathComponent(name)
            )
            var isFolder: ObjCBool = false
            if manager.fileExists(atPath: from.path, isDirectory: &isFolder), isFolder.boolValue {
                try? manager.removeItem(at: to)
            }
            guard rename(from.path, to.path) == 0 else {
                throw RunError.unwritable(
                    path: to.path, reason: String(cString: strerror(errno)))
            }
        }
    }
}
