import DualModels
import DualModules
import DualTorch

/// Sequences that train, each with the tokens of it that are learnt.
public struct CompletionSet: TrainingSet {
    private let examples: CompletionExamples
    private let trainedCounts: [Int]
    private let layout: SequenceLayout
    private let labelSmoothing: Double
    public let batching: Batching

    /// - Parameters:
    ///   - examples: those of which nothing is learnt are left out.
    ///   - rowLength: tokens that a row of a packed batch has room for.
    ///   - labelSmoothing: the share of a target that all tokens of the vocabulary have alike.
    public init(
        _ examples: some Sequence<CompletionExample>, rowLength: Int, layout: SequenceLayout,
        labelSmoothing: Double = 0
    ) {
        self.examples = CompletionExamples(examples).learnt
        trainedCounts = self.examples.trainedCounts
        self.layout = layout
        self.labelSmoothing = labelSmoothing
        batching = layout.isPacked ? .packed(rowLength: rowLength) : .padded
    }

    /// Sequences of which every token is learnt.
    public init(_ sequences: [[Int]], rowLength: Int, layout: SequenceLayout) {
        self.init(
            sequences.map { CompletionExample($0) }, rowLength: rowLength, layout: layout)
    }

    public var lengths: [Int] { examples.lengths }

    /// Tokens that are learnt, so that a step's gradient is the mean over all of them however it is split
    /// into batches.
    public func weight(of indices: [Int]) -> Int {
        indices.reduce(0) { $0 + trainedCounts[$1] }
    }

    public func add(to fingerprint: inout Fingerprint) {
        fingerprint.add(examples)
    }

    public func loss(
        of model: any TransformerModel, on indices: [Int], mode: ForwardMode
    ) throws -> Tensor {
        try completionLoss(
            of: model, on: indices.map { examples[$0] }, layout: layout,
            labelSmoothing: labelSmoothing, mode: mode)
    }
}
