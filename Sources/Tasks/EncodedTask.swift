import DualChat
import DualTraining

/// A task's data in a model's own numbers.
public struct EncodedTask {
    /// nil where only a score is wanted.
    public let training: (any TrainingSet)?
    /// nil where nothing is held out to score on.
    public let scorer: (any Scorer)?
    /// What the user should know of the data, in sentences.
    public let notes: [String]
    /// The template in whose words the examples are, if they are: it belongs to what is trained.
    public let template: ChatTemplate?

    public init(
        training: (any TrainingSet)?, scorer: (any Scorer)?, notes: [String] = [],
        template: ChatTemplate? = nil
    ) {
        self.training = training
        self.scorer = scorer
        self.notes = notes
        self.template = template
    }
}
