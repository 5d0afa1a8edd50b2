/// A loaded model, and what its user should know about how it was loaded.
public struct LoadedModel {
    public let model: any TransformerModel
    /// Names of parameters that were drawn at random, for the checkpoint has none that fits.
    public let created: [String]
    /// Names of tensors of the checkpoint that the model does not use, and nothing says why.
    public let unused: [String]
    /// Names of tensors of the checkpoint that the model does not need: buffers, which are computed, and
    /// heads of pretraining.
    public let unneeded: [String]
    /// What the checkpoint says against its configuration, in sentences.
    let remarks: [String]

    init(
        _ model: any TransformerModel, created: [String] = [], _ unused: UnusedTensors,
        remarks: [String] = []
    ) {
        self.model = model
        self.created = created
        (self.unused, unneeded) = (unused.strange, unused.unneeded)
        self.remarks = remarks
    }

    /// The model as one that scores sequences.
    /// - Throws: ``ModelError/otherKind(model:wanted:)``.
    public func sequenceModel() throws -> any SequenceModel {
        guard let model = model as? any SequenceModel else {
            throw ModelError.otherKind(
                model: model.className, wanted: "an encoder, which scores sentences")
        }
        return model
    }

    /// The model as one that predicts the next token.
    /// - Throws: ``ModelError/otherKind(model:wanted:)``.
    public func causalModel() throws -> any CausalModel {
        guard let model = model as? any CausalModel else {
            throw ModelError.otherKind(
                model: model.className, wanted: "a decoder, which predicts the next token")
        }
        return model
    }

    /// What to tell the user, a sentence each.
    /// - Parameter restored: names of parameters that an adapter brought after all.
    public func notes(restored: Set<String> = []) -> [String] {
        let made = created.filter { !restored.contains($0) }
        var notes = remarks
        if !made.isEmpty {
            notes.append(
                "made anew, for the checkpoint has none that fits: "
                    + made.joined(separator: ", "))
        }
        if !unused.isEmpty {
            notes.append("not used of the checkpoint: \(UnusedTensors.summary(of: unused))")
        }
        if !unneeded.isEmpty {
            notes.append(
                "not needed of the checkpoint, buffers or a head of pretraining: "
                    + UnusedTensors.summary(of: unneeded))
        }
        return notes
    }
}
