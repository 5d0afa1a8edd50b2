import DualAdapters
import DualGGUF
import DualModels
import DualModules
import DualTorch
import Foundation

extension ConvertRun {
    /// Types that the factors of an adapter are written in as GGUF.
    public static let ggufTypes: [GGUFType] = [.f32, .f16, .bf16]

    /// Writes the adapter as one GGUF file, as llama.cpp reads it.
    func writeGGUF(
        as type: GGUFType, _ progress: (LowRankConversion.Loss) throws -> Void
    ) throws -> Result {
        try OutputFile.making(output, overwrites: overwrite) { aside in
            let (loaded, set) = try load()
            let configuration = loaded.folder.configuration
            let writer = try GGUFAdapterWriter(
                fields: configuration.fields, file: configuration.url.path)
            try check(set, loaded)
            let probes = try OutputProbes(for: loaded.model)
            let adapted = try probes.outputs(of: loaded.model)
            let factors = try factors(of: set, progress).rounded(to: type.dtype ?? .float32)
            let losses = try factors.losses(of: set)
            let lostOutputs = try lostShare(
                ofOutputs: adapted, probes, loaded.model, from: set,
                to: factors.adapter(like: set))
            try write(factors, writer, as: type, to: aside)
            return Result(
                notes: loaded.notes, losses: losses, lostShare: losses.lostShare,
                lostOutputShare: lostOutputs, rank: factors.changes.map(\.rank).max() ?? 0)
        }
    }

    /// Those of a LoRA as they are, unless another rank is asked for.
    private func factors(
        of set: AdapterSet, _ progress: (LowRankConversion.Loss) throws -> Void
    ) throws -> LowRankFactors {
        let own = try LowRankFactors(of: set)
        if let own, rank == nil || own.changes.allSatisfy({ $0.rank == rank }) { return own }
        let name = Swift.type(of: set.method).facts.title
        guard let rank else { throw ConvertError.noRank(method: name) }
        let conversion = try LowRankConversion(of: set, rank: rank, progress: progress)
        guard let factors = try LowRankFactors(of: conversion.adapter) else {
            throw ConvertError.noPlaceInGGUF(what: "changes of biases")
        }
        return factors
    }

    /// Refuses what no two factors of a matrix say.
    private func check(_ set: AdapterSet, _ loaded: AdaptedModel) throws {
        try set.checkMerges()
        let slots = loaded.model.slots
        if let first = set.savedParameters.first {
            let count = set.savedParameters.count
            throw ConvertError.noPlaceInGGUF(
                what: "weights that it brings whole (\(first.name)"
                    + (count > 1 ? " and \(count - 1) more)" : ")"))
        }
        if let rows = set.tokenRows.first {
            throw ConvertError.noPlaceInGGUF(what: "rows of single tokens (\(rows.name))")
        }
        for part in set.parts { try check(part, slots, loaded.folder.configuration.fields) }
    }

    private func check(
        _ part: PlacedPart, _ slots: AdapterSlots, _ fields: [String: Any]
    ) throws {
        func refuse(_ path: String, _ reason: String) -> ConvertError {
            .noPlaceInGGUF(what: "a change of \(path), \(reason)")
        }
        switch part {
        case .linear(let layer, let change as any WeightChange):
            if try change.biasUpdate(for: layer) != nil {
                throw refuse("\(layer.path).bias", "which is no matrix")
            }
            // llama.cpp reads such a weight once, and takes its one adapter for that of the tokens' rows.
            if layer === slots.head, slots.tiedHead != nil {
                throw refuse(layer.path, "which shares the embedding's weight")
            }
        case .embedding(let embedding, _):
            guard embedding === slots.embeddings.first else {
                throw refuse(embedding.path, "the embedding of positions")
            }
            if slots.tiedHead != nil {
                throw refuse(embedding.path, "whose weight the head shares")
            }
            let count = embedding.weight.stored.size(0)
            if let size = fields["vocab_size"] as? Int, size != count {
                throw refuse(
                    embedding.path, "which has \(count) rows where the model's has \(size)")
            }
        default: break
        }
    }

    private func write(
        _ factors: LowRankFactors, _ writer: GGUFAdapterWriter, as type: GGUFType, to aside: URL
    ) throws {
        let metadata = writer.metadata(
            alpha: factors.alpha, name: output.deletingPathExtension().lastPathComponent)
        var values: [String: Tensor] = [:]
        var entries: [GGUFWriter.Entry] = []
        for change in factors.changes {
            let pair = try writer.factors(of: change.path, down: change.down, up: change.up)
            guard let pair else {
                throw ConvertError.noPlaceInGGUF(what: "a change of \(change.path)")
            }
            for (name, value) in pair {
                values[name] = value
                entries.append(GGUFWriter.Entry(name: name, type: type, shape: value.shape))
            }
        }
        try metadata.write(entries, to: aside) { entry in
            guard let value = values[entry.name], let dtype = type.dtype else {
                throw GGUFError.missingTensor(entry.name, file: output.path)
            }
            return try value.to(dtype)
        }
    }
}
