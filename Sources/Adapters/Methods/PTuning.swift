import DualModules
import DualTorch

/// P-tuning: embeddings of virtual tokens before those of the words, made by an encoder.
///
///     X' = [MLP(E); X]  or  X' = [MLP(BiLSTM(E)); X],  E (V, k)
///
/// Liu et al. 2021, arXiv:2103.10385, section 3.2; its encoder is dropped when the prompt is saved.
/// Reference: PEFT's `PromptEncoder`, whose layers, start, names and file these are; it always has three
/// layers without an LSTM, and two behind one.
public struct PTuning: VirtualTokenMethod, PromptLearningMethod {
    public static let facts = MethodFacts(
        name: "p-tuning", title: "P-tuning", equation: "X' = [encoder(E); X]",
        parameterFormula: "V k + the encoder", merges: false,
        source: "Liu et al. 2021, arXiv:2103.10385")
    public static let format = AdapterFormat.promptLearning("P_TUNING")
    public static let hyperparameters: [Hyperparameter<PTuning>] = [
        .virtualTokens,
        Hyperparameter(
            "encoder-reparameterization-type", \.encoder, .choice, "The encoder: MLP or LSTM.",
            key: "encoder_reparameterization_type"),
        .encoderSize(\.encoderSize, default: "the model's"),
        Hyperparameter(
            "encoder-num-layers", \.encoderLayers, .rank, "Layers of the LSTM.",
            unless: \.recurrenceObstacle, key: "encoder_num_layers"),
        Hyperparameter(
            "encoder-dropout", \.dropout, .probability,
            "Probability of dropping what is between LSTMs.", unless: \.recurrenceObstacle,
            key: "encoder_dropout"),
    ]

    public enum Encoder: String, CaseIterable, Sendable {
        case perceptron = "MLP"
        case recurrence = "LSTM"
    }

    public var virtualTokens: Int
    public var encoder: Encoder
    /// nil for the model's.
    public var encoderSize: Int?
    /// Of an LSTM.
    public var encoderLayers: Int
    public var dropout: Double
    /// What the file says that it was read from.
    var saved: PromptLearningFields?

    public init() { self.init(encoderSize: nil) }

    public init(
        virtualTokens: Int = 20, encoder: Encoder = .perceptron, encoderSize: Int? = nil,
        encoderLayers: Int = 2, dropout: Double = 0
    ) {
        self.virtualTokens = virtualTokens
        self.encoder = encoder
        self.encoderSize = encoderSize
        self.encoderLayers = encoderLayers
        self.dropout = dropout
    }

    /// Why what is said of an LSTM means nothing; nil where there is one.
    private var recurrenceObstacle: String? {
        encoder == .recurrence ? nil : "it goes with `encoder-reparameterization-type` LSTM"
    }

    /// In a model of this hidden size.
    public func parameterCount(outputSize: Int, inputSize: Int) -> Int {
        let inner = encoderSize ?? inputSize
        func dense(_ from: Int, _ to: Int) -> Int { (from + 1) * to }
        let embedding = virtualTokens * inputSize
        switch encoder {
        case .perceptron:
            return embedding + dense(inputSize, inner) + dense(inner, inner)
                + dense(inner, inputSize)
        case .recurrence:
            let recurrence = (0..<encoderLayers).reduce(0) { sum, layer in
                sum + 2 * 4 * inner * ((layer == 0 ? inputSize : 2 * inner) + inner + 2)
            }
            return embedding + recurrence + dense(2 * inner, 2 * inner)
                + dense(2 * inner, inputSize)
        }
    }

    public let defaultLearningRate = 3e-3

    public func makeParts(
        for slots: AdapterSlots, targets: TargetSelection, using generator: Generator
    ) throws -> AdapterParts {
        let slot = try slots.promptSlot(of: Self.self)
        let draw = VectorDrawing(for: slots, using: generator)
        let vectors = try vectors(size: slot.hiddenSize, draw)
        return AdapterParts([.prompt(slot, VectorPrompt(vectors, for: slot))])
    }

    private func vectors(size: Int, _ draw: VectorDrawing) throws -> EncodedVectors {
        let embedding = try draw.normal([virtualTokens, size])
        let inner = encoderSize ?? size
        func perceptron(_ sizes: [Int]) throws -> Perceptron {
            try Perceptron("mlp_head", sizes: sizes, drawing: draw) { try $0.relu() }
        }
        switch encoder {
        case .perceptron:
            return EncodedVectors(
                embedding: embedding, perceptron: try perceptron([size, inner, inner, size]))
        case .recurrence:
            let recurrence = try Recurrence(
                inputSize: size, hiddenSize: inner, layers: encoderLayers, dropout: dropout,
                drawing: draw)
            return EncodedVectors(
                embedding: embedding, recurrence: recurrence,
                perceptron: try perceptron([2 * inner, 2 * inner, size]))
        }
    }

    public func complete(
        _ fields: inout [String: Any], of parts: [any AdapterPart], seed: UInt64
    ) {
        guard let part = parts.first as? VectorPrompt else { return }
        fields["encoder_hidden_size"] = encoderSize ?? part.hiddenSize
        fields.merge(part.fields) { $1 }
    }
}
