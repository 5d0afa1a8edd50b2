import DualModules
import DualTorch

/// How the tensors of a file find their places in an adapter.
struct AdapterReading {
    let file: AdapterTensors
    let slots: AdapterSlots
    let format: AdapterFormat
    /// `modules_to_save`.
    let savedModules: [String]
    let biases: TrainedBiases
    let form: AdapterForm

    private var prefix: String { format.keyPrefix }
    private var bodyPrefix: String { slots.bodyPrefix }

    /// Copies every tensor of the file into the adapter.
    /// - Throws: ``AdapterError``.
    func load(_ set: AdapterSet) throws {
        try checkTwins()
        try checkRepeated(set)
        let repeated = repeatedKeys(set.allParts)
        var unread = Set(
            file.names.filter {
                !isRepeated($0) && !isSecondOfTied($0) && !repeated.contains($0)
            })
        for (name, value) in try set.savedTensors() {
            guard let key = knownKey(of: name) else { throw missing(name) }
            try load(key, into: value)
            unread.remove(key)
        }
        for (name, value) in set.contents.shared {
            let key = AdapterFormat.sharedPrefix + name
            unread.remove(key)
            guard set.contents.savesShared else { continue }
            if let source = file.contains(key) ? key : copy(of: name) {
                try load(source, into: value)
            } else if set.contents.needsShared {
                throw missing(key)
            }
        }
        for saved in set.savedParameters {
            try load(saved.key, into: saved.value, storage: saved.parameter.storage)
            unread.remove(saved.key)
        }
        guard unread.isEmpty else {
            throw AdapterError.extraTensors(
                names: unread.sorted().map(file.spelling), file: file.path)
        }
    }

    /// A part's own copy of a shared tensor.
    private func copy(of name: String) -> String? {
        file.names.sorted().last { format.isRepeated($0) && $0.hasSuffix("." + name) }
    }

    /// Checks the sizes that the configuration alone gives, before anything is made of them.
    /// - Throws: ``AdapterError/wrongShape(name:file:expected:found:)``.
    func checkSizes(of method: any AdapterMethod) throws {
        let linears = slots.linears + (slots.head.map { [$0] } ?? [])
        let layers = linears.map { ($0.path, $0.outputSize, $0.inputSize) }
        let embeddings = slots.embeddings.map {
            ($0.path, $0.weight.stored.size(1), $0.weight.stored.size(0))
        }
        let blocks = slots.blocks.map { ($0.path, $0.hiddenSize, $0.hiddenSize) }
        for (path, outputs, inputs) in [("", 0, 0)] + layers + embeddings + blocks {
            let sizes = try method.firstSizes(at: path, outputSize: outputs, inputSize: inputs)
            let start = path.isEmpty ? "" : "\(prefix)\(path)."
            for (name, size) in sizes.sorted(by: { $0.key < $1.key }) {
                guard let key = knownKey(of: start + name), let shape = file.shape(of: key),
                    shape.first != size
                else { continue }
                throw AdapterError.wrongShape(
                    name: key, file: file.path, expected: [size] + shape.dropFirst(),
                    found: shape)
            }
        }
    }

    /// Checks that tensors which are one in the adapter are the same in the file.
    private func checkTwins() throws {
        for key in file.names.sorted() {
            let other = isSecondOfTied(key) ? embeddingKey : format.twin(of: key)
            guard let twin = other, file.contains(twin) else { continue }
            let (first, second) = (try file.tensor(twin), try file.tensor(key))
            try requireEqual(twin, first, key, second)
        }
    }

    private func requireEqual(
        _ twin: String, _ first: Tensor, _ key: String, _ second: Tensor
    ) throws {
        guard first.shape == second.shape, try first.largestDifference(to: second) == 0 else {
            throw AdapterError.differentTwins(twin, key, file: file.path)
        }
    }

    /// What a file says again of a head that follows the embedding: its rows of tokens, or its LoRA.
    private func repeatedKeys(_ parts: [PlacedPart]) -> Set<String> {
        Set(
            parts.flatMap { part -> [String] in
                switch part {
                case .linear(let head, let rows as HeadTokenRows) where rows.followsEmbedding:
                    return rows.tokens.parameters.map { prefix + head.path + "." + $0.name }
                case .linear(let head, let lora as TiedHeadLoRA):
                    return lora.repeated.map { prefix + head.path + "." + $0.name }
                default: return []
                }
            }.filter(file.contains))
    }

    /// Checks that it is the same.
    private func checkRepeated(_ set: AdapterSet) throws {
        guard let words = slots.embeddings.first else { return }
        let path = prefix + words.path + "."
        for key in repeatedKeys(set.allParts).sorted() {
            let pairs = ["lora_A.weight": "lora_embedding_B", "lora_B.weight": "lora_embedding_A"]
            let other = pairs.first { key.hasSuffix("." + $0.key) }?.value
            guard let twin = knownKey(of: path + (other ?? TokenRows.name)) else { continue }
            let (first, second) = (try file.tensor(twin), try file.tensor(key))
            let isTurned = other != nil && second.rank == 2
            try requireEqual(twin, first, key, isTurned ? second.transposed() : second)
        }
    }

    /// The file's weights of the model; a module that is saved is saved whole.
    func savedParameters(
        _ parts: AdapterParts, _ tokenParts: [PlacedPart]
    ) throws -> [SavedParameter] {
        let all = parts.placed + tokenParts
        let own = try ownKeys(all, parts.shared.map(\.name)).union(repeatedKeys(all))
        let saved = try file.names.compactMap { key -> SavedParameter? in
            if own.contains(key) || isRepeated(key) || isSecondOfTied(key) { return nil }
            let parameter = try parameter(of: key)
            guard speaks(of: parameter) else {
                throw AdapterError.extraTensors(names: [file.spelling(of: key)], file: file.path)
            }
            let value = try Tensor.zeros(
                parameter.stored.shape, device: parameter.stored.device)
            return try SavedParameter(parameter, key: key, value: value)
        }
        let names = Set(saved.map(\.name))
        // A bias may come alone: PEFT's `bias` option.
        let whole = names.filter { !$0.hasSuffix(".bias") }
        let candidates = form.keepsTie ? slots.parameters : slots.savable
        for parameter in candidates where !names.contains(parameter.name) {
            let module = parameter.modulePath
            let isStarted = whole.contains { $0.hasPrefix(module + ".") }
            if isStarted || savedModules.contains(where: module.isOrEndsIn) {
                throw missing(prefix + parameter.name)
            }
        }
        return saved
    }

    /// The weight of the model that a tensor is named after.
    private func parameter(of key: String) throws -> Parameter {
        let name = weightName(of: key)
        if key.hasPrefix(prefix) {
            if form.keepsTie, let tied = slots.tiedHead, name == tied.own.name {
                return tied.embedding
            }
            let names = [name, bodyPrefix + name]
            if let own = slots.savable.first(where: { names.contains($0.name) }) { return own }
        }
        guard !isOfModule(name) else {
            throw AdapterError.extraTensors(names: [file.spelling(of: key)], file: file.path)
        }
        throw AdapterError.noSuchLayer(name: file.spelling(of: key), file: file.path)
    }

    /// The name of a weight of the model that a tensor has, if it is one: without what PEFT puts around its
    /// layer.
    private func weightName(of key: String) -> String {
        key.withoutPrefix(prefix).replacing(".token_adapter.base_layer.", with: ".")
            .replacing(".base_layer.", with: ".")
    }

    /// Whether a module of the model has the name, or the beginning of it.
    private func isOfModule(_ name: String) -> Bool {
        let modules = Set(
            slots.savable.map(\.modulePath)
                .flatMap { [$0, $0.withoutPrefix(bodyPrefix)] }.filter { !$0.isEmpty })
        let words = name.split(separator: ".")
        return words.indices.contains { end in
            modules.contains(words[...end].joined(separator: "."))
        }
    }

    /// Whether the configuration says that the adapter brings a weight of the model. PEFT saves a
    /// classifier without saying so, and embeddings and the head behind them on request.
    private func speaks(of parameter: Parameter) -> Bool {
        if biases != .none, parameter.name.hasSuffix(".bias") { return true }
        if !parameter.name.hasPrefix(bodyPrefix) || parameter === slots.prompt?.words {
            return true
        }
        let words = parameter.name.split(separator: ".").dropLast()
        return words.indices.contains { end in
            let module = words[...end].joined(separator: ".")
            return savedModules.contains(where: module.hasSuffix)
        }
    }

    /// Whether a tensor is the head's copy of an embedding that the head goes on sharing.
    private func isSecondOfTied(_ key: String) -> Bool {
        guard form.keepsTie, let tied = slots.tiedHead else { return false }
        return key.hasPrefix(prefix) && weightName(of: key) == tied.own.name && embeddingKey != nil
    }

    /// The key of an embedding that the head shares.
    private var embeddingKey: String? {
        guard let name = slots.tiedHead?.embedding.name else { return nil }
        let names = [name, name.withoutPrefix(bodyPrefix)]
        return file.names.first { $0.hasPrefix(prefix) && names.contains(weightName(of: $0)) }
    }

    /// Keys of the adapter's own tensors, with the body's prefix and without.
    private func ownKeys(_ parts: [PlacedPart], _ shared: [String]) throws -> Set<String> {
        var keys = Set(shared.map { AdapterFormat.sharedPrefix + $0 })
        for placed in parts {
            for (name, _) in try placed.part.savedTensors() {
                for name in format.spellings(of: name) {
                    keys.insert(prefix + placed.path + name)
                    keys.insert(prefix + placed.path.withoutPrefix(bodyPrefix) + name)
                    if placed.path.isEmpty { keys.insert(name) }
                }
            }
        }
        return keys
    }

    /// The file's name of a tensor; nil where it has none.
    private func knownKey(of name: String) -> String? {
        let bare = prefix + name.withoutPrefix(prefix).withoutPrefix(bodyPrefix)
        return [name, bare].flatMap(format.spellings).first(where: file.contains)
    }

    /// Whether a tensor is no part of the adapter: the method says so, or PEFT's `bias` of "all" took it
    /// along from the wrapper of a module that is saved under its own name, which is the one that PEFT
    /// reads. Inside a module that is wrapped as a whole, the adapter's name comes after the wrapper's.
    private func isRepeated(_ key: String) -> Bool {
        if format.isRepeated(key) { return true }
        let words = key.split(separator: ".").map(String.init)
        guard let wrapper = words.firstIndex(where: Self.wrappers.contains) else { return false }
        return (1...2).contains { count in
            var unwrapped = words
            unwrapped.removeSubrange(wrapper..<min(wrapper + count, unwrapped.count - 1))
            return unwrapped.count < words.count && file.contains(unwrapped.joined(separator: "."))
        }
    }

    private static let wrappers: Set = ["modules_to_save", "original_module"]

    private func missing(_ key: String) -> AdapterError {
        .missingTensor(name: key, file: file.path)
    }

    private func load(
        _ key: String, into value: Tensor, storage: Parameter.Storage = .asIs
    ) throws {
        let stored = try file.tensor(key)
        let target = storage == .transposed ? try value.transposed() : value
        guard stored.shape == target.shape else {
            throw AdapterError.wrongShape(
                name: key, file: file.path, expected: target.shape, found: stored.shape)
        }
        try withoutGradient { _ = try target.copy(from: stored) }
    }
}
