import DualModules
import DualTorch

/// How the tensors of a file find their places in an adapter.
struct AdapterReading {
    let file: SafetensorsFile
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
        var unread = Set(file.names.filter { !isRepeated($0) && !isSecondOfTied($0) })
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
            throw AdapterError.extraTensors(names: unread.sorted(), file: file.url.path)
        }
    }

    /// A part's own copy of a shared tensor.
    private func copy(of name: String) -> String? {
        file.names.sorted().last { format.isRepeated($0) && $0.hasSuffix("." + name) }
    }

    /// Checks the sizes that the configuration alone gives, before anything is made of them.
    /// - Throws: ``AdapterError/wrongShape(name:file:expected:found:)``.
    func checkSizes(of method: any AdapterMethod) throws {
        let layers = slots.linears.map { ($0.path, $0.outputSize, $0.inputSize) }
        let blocks = slots.blocks.map { ($0.path, $0.hiddenSize, $0.hiddenSize) }
        for (path, outputs, inputs) in [("", 0, 0)] + layers + blocks {
            let sizes = try method.firstSizes(at: path, outputSize: outputs, inputSize: inputs)
            let start = path.isEmpty ? "" : "\(prefix)\(path)."
            for (name, size) in sizes.sorted(by: { $0.key < $1.key }) {
                guard let key = knownKey(of: start + name), let shape = file.shape(of: key),
                    shape.first != size
                else { continue }
                throw AdapterError.wrongShape(
                    name: key, file: file.url.path, expected: [size] + shape.dropFirst(),
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
            guard first.shape == second.shape, try first.largestDifference(to: second) == 0 else {
                throw AdapterError.differentTwins(twin, key, file: file.url.path)
            }
        }
    }

    /// The file's weights of the model; a module that is saved is saved whole.
    func savedParameters(_ parts: AdapterParts) throws -> [SavedParameter] {
        let own = try ownKeys(parts)
        let saved = try file.names.compactMap { key -> SavedParameter? in
            if own.contains(key) || isRepeated(key) || isSecondOfTied(key) { return nil }
            let parameter = try parameter(of: key)
            guard speaks(of: parameter) else {
                throw AdapterError.extraTensors(names: [key], file: file.url.path)
            }
            let value = try Tensor.zeros(
                parameter.value.shape, device: parameter.value.device)
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
        let name = key.withoutPrefix(prefix).replacing(".base_layer.", with: ".")
        if key.hasPrefix(prefix) {
            if form.keepsTie, let tied = slots.tiedHead, name == tied.own.name {
                return tied.embedding
            }
            let names = [name, bodyPrefix + name]
            if let own = slots.savable.first(where: { names.contains($0.name) }) { return own }
        }
        throw AdapterError.noSuchLayer(name: key, file: file.url.path)
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
        guard form.keepsTie, let tied = slots.tiedHead, let embeddingKey else { return false }
        return key == prefix + tied.own.name && file.contains(embeddingKey)
    }

    private var embeddingKey: String? { slots.tiedHead.map { prefix + $0.embedding.name } }

    /// Keys of the adapter's own tensors, with the body's prefix and without.
    private func ownKeys(_ parts: AdapterParts) throws -> Set<String> {
        var keys = Set(parts.shared.map { AdapterFormat.sharedPrefix + $0.name })
        for placed in parts.placed {
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
        .missingTensor(name: key, file: file.url.path)
    }

    private func load(
        _ key: String, into value: Tensor, storage: Parameter.Storage = .asIs
    ) throws {
        let stored = try file.tensor(key)
        let target = storage == .transposed ? try value.transposed() : value
        guard stored.shape == target.shape else {
            throw AdapterError.wrongShape(
                name: key, file: file.url.path, expected: target.shape, found: stored.shape)
        }
        try withoutGradient { _ = try target.copy(from: stored) }
    }
}
