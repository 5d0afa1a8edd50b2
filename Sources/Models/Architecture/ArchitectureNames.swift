import DualModules

/// What an architecture is called in `config.json`, and its weights in checkpoints and adapters.
public struct ArchitectureNames: Equatable, Sendable {
    /// The reference's class of the model without a head (`BertModel`).
    public let bareClass: String
    /// The reference's class of the model with its head (`BertForSequenceClassification`).
    public let headClass: String
    /// The prefix of all names but the head's, with its dot (`bert.`). Checkpoints of the model without a
    /// head lack it.
    public let bodyPrefix: String
    /// The path of the words' embedding (`bert.embeddings.word_embeddings`).
    public let wordsPath: String
    /// Other names under which a checkpoint may have the words' embedding: those of tensors that are one
    /// with it in the configuration, of which files of tensors keep one name.
    let tiedNames: [String]
    /// The path of the blocks, before their numbers (`bert.encoder.layer`).
    let blocksPath: String
    /// The path of the head (`classifier`).
    public let headPath: String
    /// The linear layers that adapters change when nothing is said: PEFT's choice.
    public let defaultTargets: [String]
    /// The ends of names that old checkpoints have and no model needs: buffers.
    let unneededEndings: [String]
    /// The beginnings of names that fine-tuning leaves behind: heads of pretraining.
    let unneededBeginnings: [String]

    public init(
        bareClass: String, headClass: String, bodyPrefix: String, wordsPath: String,
        tiedNames: [String] = [], blocksPath: String, headPath: String, defaultTargets: [String],
        unneededEndings: [String] = [], unneededBeginnings: [String] = []
    ) {
        (self.bareClass, self.headClass) = (bareClass, headClass)
        (self.bodyPrefix, self.headPath) = (bodyPrefix, headPath)
        (self.wordsPath, self.tiedNames) = (wordsPath, tiedNames)
        self.blocksPath = blocksPath
        self.defaultTargets = defaultTargets
        self.unneededEndings = unneededEndings
        self.unneededBeginnings = unneededBeginnings
    }

    /// The path of the body's modules, for a scope of weights.
    var bodyPath: String { String(bodyPrefix.dropLast()) }

    /// The names that a weight may have in a checkpoint, in order of preference: old checkpoints call a
    /// LayerNorm's weights gamma and beta, those of a bare body lack its prefix.
    func spellings(of name: String) -> [String] {
        let old = name.replacing("LayerNorm.weight", with: "LayerNorm.gamma")
            .replacing("LayerNorm.bias", with: "LayerNorm.beta")
        let names = old == name ? [name] : [name, old]
        return names
            + names.filter { $0.hasPrefix(bodyPrefix) }.map {
                String($0.dropFirst(bodyPrefix.count))
            } + (name == wordsPath + ".weight" ? tiedNames : [])
    }

    /// The number of blocks that have tensors among some names.
    func blockCount(in names: [String]) -> Int {
        let prefixes = spellings(of: blocksPath + ".")
        let numbers = names.lazy.compactMap { name in
            prefixes.first(where: name.hasPrefix).flatMap {
                Int(name.dropFirst($0.count).prefix { $0 != "." })
            }
        }
        // Beyond any model, and safe to count on from.
        return (numbers.filter { 0..<ConfigurationFile.mostLayers ~= $0 }.max() ?? -1) + 1
    }

    /// Whether it is known why a checkpoint has a tensor of this name that the model does not use.
    func isUnneeded(_ name: String) -> Bool {
        unneededEndings.contains(where: name.hasSuffix)
            || unneededBeginnings.contains(where: name.hasPrefix)
    }
}
