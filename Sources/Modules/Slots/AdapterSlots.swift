/// The slots of a model that adapters stand in, and the names by which they are chosen.
public struct AdapterSlots {
    /// The linear layers but the head, in the model's order.
    public let linears: [Linear]
    /// The embeddings, that of words first.
    public let embeddings: [Embedding]
    /// The head of a language model, which adapters change where it is named; that of a task trains whole.
    public let head: Linear?
    /// The ends of its blocks, in the model's order.
    public let blocks: [BlockEnd]
    /// Layers of its blocks by their part in them, in the model's order.
    public let blockLayers: [BlockLayers]
    /// nil for a model whose layers take no prefix.
    public let prefix: PrefixSlot?
    /// nil for a model whose input takes no prompt.
    public let prompt: PromptSlot?
    /// Every weight of the model.
    public let parameters: [Parameter]
    /// nil for a model whose head has a weight of its own.
    public let tiedHead: TiedHead?
    /// Names of the linear layers that adapters change when nothing is said.
    public let defaultTargets: [String]
    /// The prefix of the paths of all layers but the head (`bert.`), which adapters of a model without a
    /// head lack.
    public let bodyPrefix: String

    /// Virtual tokens that the prompt and the prefix put before each sequence: they take positions.
    public var virtualTokens: Int {
        (prefix?.adapter?.count ?? 0) + (prompt?.adapter?.count ?? 0)
    }

    /// Every weight that an adapter may bring a value of its own for: those of the model, and that of a head
    /// which shares the embedding's.
    public var savable: [Parameter] { parameters + (tiedHead.map { [$0.headWeight] } ?? []) }

    public init(
        linears: [Linear] = [], embeddings: [Embedding] = [], head: Linear? = nil,
        blocks: [BlockEnd] = [], blockLayers: [BlockLayers] = [],
        prefix: PrefixSlot? = nil, prompt: PromptSlot? = nil, parameters: [Parameter] = [],
        tiedHead: TiedHead? = nil,
        defaultTargets: [String] = [], bodyPrefix: String = ""
    ) {
        self.linears = linears
        self.embeddings = embeddings
        self.head = head
        self.blocks = blocks
        self.blockLayers = blockLayers
        self.prefix = prefix
        self.prompt = prompt
        self.parameters = parameters
        self.tiedHead = tiedHead
        self.defaultTargets = defaultTargets
        self.bodyPrefix = bodyPrefix
    }
}
