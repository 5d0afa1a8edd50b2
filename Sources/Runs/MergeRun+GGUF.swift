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
        try OutputFile.making(output, overwrites: overwrite) { try writeGGUF(as: type, to: $0) }
    }

    private func writeGGUF(as type: GGUFType, to aside: URL) throws -> Result {
        let loaded = try load(model, adapters, quantization)
        try loaded.adapters.checkMerges()
        let special = try SpecialTokenAlignment(loaded.tokenizer)
        let probes = try OutputProbes(for: loaded.model)
        let expected = verify ? try probes.outputs(of: loaded.model) : []
        let norms = try loaded.adapters.mergeForGood(as: .float32)
        if verify { try checkSums(loaded.model, probes, expected) }
        let writer = try GGUFModelWriter(
            fields: special.aligned(loaded.fields), files: loaded.tokenizer.files(),
            base: loaded.folder.gguf?.file, type: type,
            name: output.deletingPathExtension().lastPathComponent)
        let written = try write(loaded.model, writer, type, norms, to: aside)
        let difference =
            verify ? try check(aside, loaded.model, written.errors, probes, expected) : nil
        return Result(
            notes: loaded.notes, difference: difference, tensors: written.tensors,
            typeName: type.name.lowercased(), losses: written.losses)
    }

    /// - Parameter norms: of the changes of the layers that were merged.
    /// - Returns: how many tensors there are, what their types lose of each change, and the norm of what they lose
    ///   of each parameter.
    private func write(
        _ model: any TransformerModel, _ writer: GGUFModelWriter, _ type: GGUFType,
        _ norms: [ChangeLoss], to aside: URL
    ) throws -> (tensors: Int, losses: [ChangeLoss], errors: [String: Double]) {
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
        return (entries.count + others.count, losses, errors)
    }

    /// The model whose weights are sums of float32 must say what the adapted one does.
    private func checkSums(
        _ model: any TransformerModel, _ probes: OutputProbes, _ expected: [Tensor]
    ) throws {
        _ = try compare(
            expected, probes.outputs(of: model), allowed: 1e-5 * max(1, expected.largestMagnitude())
        )
    }

    /// Loads what was written: each parameter must be the merged one, but for what its type lost when it was
    /// written.
    /// - Parameter errors: the norms of what was lost, by the parameters' names.
    /// - Returns: the largest difference of an output that the types make.
    private func check(
        _ file: URL, _ model: any TransformerModel, _ errors: [String: Double],
        _ probes: OutputProbes, _ expected: [Tensor]
    ) throws -> (found: Double, allowed: Double) {
        let written = try load(file, [], nil).model
        let merged = Dictionary(
            model.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for parameter in written.parameters {
            guard let numbers = try merged[parameter.name]?.stored.dense(as: .float32) else {
                throw MergeError.strangeParameter(name: parameter.name)
            }
            let found = try (parameter.stored.dense(as: .float32) - numbers).norm().item()
            let lost = errors[parameter.name] ?? 0
            // Sums of squares in float32 come to the same number in whatever order, but for so much.
            guard abs(found - lost) <= 1e-3 * lost + 1e-6 * (try numbers.norm().item()) else {
                throw MergeError.strangeParameter(name: parameter.name)
            }
        }
        return try compare(expected, probes.outputs(of: written), allowed: .infinity)
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
