import DualAdapters
import DualGGUF
import DualModels
import DualModules
import DualTorch
import Foundation

extension MergeRun {
    /// Types that a merged model's matrices are written in as GGUF.
    public static let ggufTypes: [GGUFType] = [.f32, .f16, .bf16, .q8_0, .q4_0]

    /// Writes the merged model as one GGUF file, as llama.cpp reads it.
    func writeGGUF(as type: GGUFType) throws -> Result {
        let aside = try unfinishedFile()
        defer { try? FileManager.default.removeItem(at: aside) }
        let loaded = try load(model, adapters, quantization)
        try loaded.adapters.checkMerges()
        let special = try SpecialTokenAlignment(loaded.tokenizer)
        let probes = try OutputProbes(for: loaded.model)
        let expected = verify ? try probes.outputs(of: loaded.model) : []
        let norms = try loaded.adapters.mergeForGood(as: .float32)
        let writer = try GGUFModelWriter(
            fields: special.aligned(loaded.fields), files: loaded.tokenizer.files(),
            base: loaded.folder.gguf?.file, type: type,
            name: output.deletingPathExtension().lastPathComponent)
        let written = try write(loaded.model, writer, type, norms, to: aside)
        let difference = verify ? try check(aside, type, probes, expected) : nil
        guard rename(aside.path, output.path) == 0 else {
            throw RunError.unwritable(path: output.path, reason: String(cString: strerror(errno)))
        }
        return Result(
            notes: loaded.notes, difference: difference, tensors: written.tensors,
            typeName: type.name.lowercased(), losses: written.losses)
    }

    /// A place beside the output for what is not finished.
    private func unfinishedFile() throws -> URL {
        if FileManager.default.fileExists(atPath: output.path), !overwrite {
            throw RunError.unwritable(
                path: output.path, reason: "there is one already; `overwrite` replaces it")
        }
        let name = ".unfinished-" + output.lastPathComponent
        return output.standardizedFileURL.deletingLastPathComponent().appendingPathComponent(name)
    }

    /// - Parameter norms: of the changes of the layers that were merged.
    /// - Returns: how many tensors there are, and what their types lose of each change.
    private func write(
        _ model: any TransformerModel, _ writer: GGUFModelWriter, _ type: GGUFType,
        _ norms: [ChangeLoss], to aside: URL
    ) throws -> (tensors: Int, losses: [ChangeLoss]) {
        var parameters = model.parameters
        if let tied = model.slots.tiedHead, tied.isApart { parameters.append(tied.own) }
        var sources: [String: Parameter] = [:]
        var entries: [GGUFWriter.Entry] = []
        for parameter in parameters {
            let shape = try parameter.inCheckpointLayout().shape
            guard let entry = writer.entry(parameter.name, shape: shape, type: type) else {
                throw GGUFError.missingTensor(parameter.name, file: output.path)
            }
            sources[entry.name] = parameter
            entries.append(entry)
        }
        let others = try writer.configurationTensors()
        var errors: [String: Double] = [:]
        try writer.metadata.write(entries + others.map(\.0), to: aside) { entry in
            guard let parameter = sources[entry.name] else {
                return try others.first { $0.0.name == entry.name }?.1 ?? .zeros(entry.shape)
            }
            let numbers = try parameter.inCheckpointLayout(blocksAs: .float32)
            let arranged = try writer.arranged(numbers.to(.float32), parameter.name)
            let stored = try arranged.stored(as: entry.type)
            errors[parameter.name] = try (stored.dense(as: .float32) - arranged).norm().item()
            return stored.memory
        }
        let losses = norms.map {
            ChangeLoss(path: $0.path, norm: $0.norm, error: errors[$0.path + ".weight"] ?? 0)
        }
        return (entries.count + others.count, losses)
    }

    /// Loads what was written and compares what it says, within twice the difference that the type makes to the
    /// model without an adapter.
    private func check(
        _ file: URL, _ type: GGUFType, _ probes: OutputProbes, _ expected: [Tensor]
    ) throws -> (found: Double, allowed: Double) {
        let base = try load(model, [], quantization).model
        let before = try probes.outputs(of: base)
        for parameter in base.parameters where parameter.stored.shape.count == 2 {
            let numbers = try parameter.stored.dense(as: .float32)
            guard numbers.size(1) % type.blockSize == 0 else { continue }
            parameter.stored = .plain(try numbers.stored(as: type).dense(as: .float32))
        }
        let rounding = try zip(before, probes.outputs(of: base)).map {
            try $0.largestDifference(to: $1)
        }.max()
        return try compare(
            expected, probes.outputs(of: load(file, [], nil).model),
            allowed: 1e-4 * max(1, expected.largestMagnitude()) + 2 * (rounding ?? 0))
    }
}

extension Tensor {
    /// These numbers as GGUF stores them in a type.
    fileprivate func stored(as type: GGUFType) throws -> StoredWeight {
        if let dtype = type.dtype { return .plain(try to(dtype)) }
        guard let format = type.blockFormat else { return .plain(self) }
        return .blocks(try BlockMatrix(quantizing: self, to: format))
    }
}
