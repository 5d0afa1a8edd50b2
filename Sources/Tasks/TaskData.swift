import DualModels
import DualTorch

/// The data of a task, as text.
public protocol TaskData {
    /// The examples in the model's own numbers: those that train, none where only a score is wanted, and
    /// what scores.
    func encode(
        for loaded: LoadedModel, with encoder: TaskEncoder, device: Device
    ) throws -> EncodedTask
}

/// The data of a task whose examples are sequences of tokens, some of which are learnt.
public protocol CompletionData: TaskData {
    func completions(with encoder: TaskEncoder) throws -> Completions
}
