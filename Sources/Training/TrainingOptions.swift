/// How a fine-tuning run goes, besides the method.
public struct TrainingOptions: Sendable {
    public var epochs = 3
    /// Optimizer steps; nil for as many as the epochs make.
    public var steps: Int?
    /// Examples of one forward pass; nil for the task's own choice.
    public var batchSize: Int?
    /// Micro-batches of `batchSize` that one optimizer step sums up.
    public var accumulation = 1
    /// Peak rate of what the method trains; nil for the method's own.
    public var learningRate: Double?
    /// Peak rate of the head, which starts from nothing.
    public var headLearningRate = 5e-4
    public var weightDecay = 0.01
    /// Share of the steps in which the learning rate rises.
    public var warmupRatio = 0.06
    /// The same as a number of steps, instead of the share.
    public var warmupSteps: Int?
    /// How the learning rate goes after that.
    public var schedule = LearningRateSchedule.Shape.linear
    /// What Adam keeps of its two moments in a step.
    public var adamBetas = (0.9, 0.999)
    /// ε of Adam; nil for 1e-8, or 1e-6 where gradients are projected, as GaLore's authors have it.
    public var adamEpsilon: Double?
    /// The largest norm of all gradients together; nil for no limit.
    public var gradientLimit: Double? = 1
    /// Tokens that an example is cut to; nil for the task's own choice.
    public var maximumLength: Int?
    /// Whether every epoch has an order of its own, instead of the data's.
    public var shuffles = true
    public var seed: UInt64 = 0
    /// Whether the backward runs every block again, which then keeps only its inputs: the same numbers
    /// in less memory and more time.
    public var activationCheckpointing = false
    /// Steps between two lines of the log.
    public var loggingSteps = 10
    /// Steps between two checkpoints; nil for one after every epoch but the last, unless they would take
    /// more than a twentieth of the time, and for none that outlasts the run.
    public var checkpointSteps: Int?
    /// Steps between two scores on the dev split; nil for one after every epoch. The run's end is scored
    /// in any case.
    public var evaluationSteps: Int?
    /// Whether the run ends with what had the lowest dev loss, instead of its last step. A copy of what
    /// trains is kept in memory, and in checkpoints.
    public var keepsBest = false
    /// Scores in a row without a lower dev loss that end the run; nil for as long as it goes.
    public var patience: Int?

    public init() {}

    /// The opposite of ``shuffles``, which the flag asks for.
    var keepsOrder: Bool {
        get { !shuffles }
        set { shuffles = !newValue }
    }
}
