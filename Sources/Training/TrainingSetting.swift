/// One of a run's training options under the name of its flag: what checks, records, resumes and reads it.
public struct TrainingSetting: Sendable {
    /// As a flag and in a recipe: `learning-rate`.
    public let name: String
    /// What it does, in a sentence or two; the default is part of it where it is no value of the option.
    public let help: String
    /// Whether a resumed run must have it as the run had that was stopped.
    let decides: Decision
    /// The value; nil where none is set.
    let text: @Sendable (TrainingOptions) -> String?
    /// What is wrong with the value; nil for nothing.
    let fault: @Sendable (TrainingOptions) -> String?
    let encode: @Sendable (TrainingOptions, inout KeyedEncodingContainer<Name>) throws -> Void
    let decode: @Sendable (inout TrainingOptions, KeyedDecodingContainer<Name>) throws -> Void

    /// What decides how a run ends.
    enum Decision {
        case always, never
        /// Where the run ends by its dev losses.
        case withDevLosses
    }

    /// A setting's name as a key.
    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// - Parameters:
    ///   - fault: what is wrong with a value, if anything is.
    init<Value: Codable & SendableMetatype>(
        _ name: String, _ path: WritableKeyPath<TrainingOptions, Value> & Sendable,
        decides: Decision = .always, _ help: String,
        fault: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        (self.name, self.help, self.decides) = (name, help, decides)
        let key = Name(stringValue: name)
        text = { "\($0[keyPath: path])" }
        self.fault = { fault($0[keyPath: path]) }
        encode = { try $1.encode($0[keyPath: path], forKey: key) }
        decode = { options, fields in
            if fields.contains(key) {
                options[keyPath: path] = try fields.decode(Value.self, forKey: key)
            }
        }
    }

    /// The same of an option that may be left unset, which a file spells null.
    init<Value: Codable & SendableMetatype>(
        _ name: String, _ path: WritableKeyPath<TrainingOptions, Value?> & Sendable,
        decides: Decision = .always, _ help: String,
        fault: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        (self.name, self.help, self.decides) = (name, help, decides)
        let key = Name(stringValue: name)
        text = { $0[keyPath: path].map { "\($0)" } }
        self.fault = { $0[keyPath: path].flatMap(fault) }
        encode = { try $1.encode($0[keyPath: path], forKey: key) }
        decode = { options, fields in
            if fields.contains(key) {
                options[keyPath: path] = try fields.decode(Value?.self, forKey: key)
            }
        }
    }
}

extension TrainingOptions {
    /// Every option, once.
    public static let settings: [TrainingSetting] = [
        TrainingSetting(
            "epochs", \.epochs, "Passes over the training examples.", fault: count),
        TrainingSetting("steps", \.steps, "Optimizer steps, instead of epochs."),
        TrainingSetting(
            "batch-size", \.batchSize,
            "Examples of one forward pass. Default: 32 for sentences, 16 for commonsense, else 8.",
            fault: count),
        TrainingSetting(
            "gradient-accumulation", \.accumulation, "Forward passes of one optimizer step.",
            fault: count),
        TrainingSetting(
            "learning-rate", \.learningRate,
            "Peak learning rate. Default: the method's own (duallora methods).", fault: positive),
        TrainingSetting(
            "head-learning-rate", \.headLearningRate, "Peak learning rate of the head.",
            fault: positive),
        TrainingSetting(
            "weight-decay", \.weightDecay, "Decoupled weight decay, not for biases and norms.",
            fault: { $0 >= 0 && $0.isFinite ? nil : "\($0) is negative" }),
        TrainingSetting(
            "warmup-ratio", \.warmupRatio, "Share of the steps in which the learning rate rises.",
            fault: { 0...1 ~= $0 ? nil : "\($0) is not in 0...1" }),
        TrainingSetting(
            "warmup-steps", \.warmupSteps,
            "Steps in which the learning rate rises, instead of `warmup-ratio`.",
            fault: { count($0, atLeast: 0) }),
        TrainingSetting("schedule", \.schedule, "How the learning rate goes after that."),
        TrainingSetting(
            "adam-beta1", \.adamBetas.0, "What Adam keeps of the mean gradient in a step.",
            fault: decay),
        TrainingSetting(
            "adam-beta2", \.adamBetas.1, "What Adam keeps of the mean squared gradient in a step.",
            fault: decay),
        TrainingSetting(
            "adam-epsilon", \.adamEpsilon,
            "What Adam adds to the root. Default: 1e-8; 1e-6 for galore and garare.",
            fault: positive),
        TrainingSetting(
            "gradient-limit", \.gradientLimit,
            "Largest norm of the gradients together; 0 for no limit.",
            fault: { $0 > 0 ? nil : "\($0) is not greater than 0" }),
        TrainingSetting(
            "max-length", \.maximumLength,
            "Tokens that an example is cut to. Default: 512 for text and e2e, 1024 for instruct, 256 for "
                + "commonsense, 128 for sentences.",
            fault: { 4...1_000_000 ~= $0 ? nil : "\($0) is not from 4 to 1000000" }),
        TrainingSetting(
            "no-shuffle", \.keepsOrder, "Take the examples in the order of the data."),
        TrainingSetting(
            "logging-steps", \.loggingSteps, decides: .never, "Steps between two lines of the log.",
            fault: count),
        TrainingSetting(
            "checkpoint-steps", \.checkpointSteps, decides: .never,
            "Steps between two checkpoints. Default: one after every epoch, unless they would take more than "
                + "a twentieth of the time.",
            fault: count),
        TrainingSetting(
            "evaluation-steps", \.evaluationSteps, decides: .withDevLosses,
            "Steps between two scores on the dev split. Default: one after every epoch.",
            fault: count),
        TrainingSetting(
            "keep-best", \.keepsBest,
            "End with what had the lowest dev loss, instead of the last step."),
        TrainingSetting(
            "patience", \.patience, decides: .withDevLosses,
            "Scores in a row without a lower dev loss that end the run. Default: no such end.",
            fault: count),
        TrainingSetting(
            "activation-checkpointing", \.activationCheckpointing, decides: .never,
            "Keep only the inputs of every block for the backward, which runs it again: less memory."
        ),
        TrainingSetting("seed", \.seed, "Decides every random number of the run."),
    ]

    /// Upper bounds are beyond any use, and keep products of the numbers in range.
    @Sendable private static func count(_ value: Int) -> String? { count(value, atLeast: 1) }

    fileprivate static func count(_ value: Int, atLeast least: Int) -> String? {
        least...1_000_000 ~= value ? nil : "\(value) is not from \(least) to 1000000"
    }

    @Sendable private static func positive(_ value: Double) -> String? {
        value > 0 && value.isFinite ? nil : "\(value) is not greater than 0"
    }

    @Sendable private static func decay(_ value: Double) -> String? {
        value >= 0 && value < 1 ? nil : "\(value) is not from 0 to less than 1"
    }

    /// - Parameter fewestSteps: 0 where a run may write what it starts from.
    /// - Throws: ``TrainingError/badOption(name:reason:)``.
    public func check(fewestSteps: Int = 1) throws {
        if let steps, let fault = Self.count(steps, atLeast: fewestSteps) {
            throw TrainingError.badOption(name: "steps", reason: fault)
        }
        for setting in Self.settings {
            guard let fault = setting.fault(self) else { continue }
            throw TrainingError.badOption(name: setting.name, reason: fault)
        }
    }

    /// What a resumed run must have in common with the run that was stopped, by the names of the options;
    /// an option is part of it unless its row says otherwise.
    package var identity: [String: String] {
        let endsByDevLosses = keepsBest || patience != nil
        var identity: [String: String] = [:]
        for setting in Self.settings {
            switch setting.decides {
            case .never: continue
            case .withDevLosses where !endsByDevLosses: continue
            default: identity[setting.name] = setting.text(self)
            }
        }
        return identity
    }

    /// What an option does, by its name.
    package static func help(_ name: String) -> String {
        settings.first { $0.name == name }?.help ?? ""
    }
}

/// Under the options' names; what a file leaves out has its default.
extension TrainingOptions: Codable {
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: TrainingSetting.Name.self)
        self.init()
        let known = Set(Self.settings.map(\.name))
        if let strange = fields.allKeys.map(\.stringValue).sorted().first(where: {
            !known.contains($0)
        }) {
            throw TrainingError.badOption(name: strange, reason: "there is no such option")
        }
        for setting in Self.settings { try setting.decode(&self, fields) }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: TrainingSetting.Name.self)
        for setting in Self.settings { try setting.encode(self, &fields) }
    }
}
