import DualModules
import DualTorch

/// How the tensors of a file find their places in an adapter.
struct AdapterReading {
    let file: SafetensorsFile
    let prefix: String
    /// What stands before the paths of a model's body, and is missing in adapters of a bare body.
    let bodyPrefix: String
    let method: any AdapterMethod.Type

    /// Copies every tensor of the file into the adapter.
    /// - Throws: ``AdapterError``.
    func load(_ set: AdapterSet) throws {
        try checkTwins()
        var rest = Set(file.names.filter { !isRepeated($0) })
        for (name, value) in try set.savedTensors() {
            let key = try key(of: name)
            try load(key, into: value)
            rest.remove(key)
        }
        for (name, value) in set.shared {
            let key = "base_model." + name
            rest.remove(key)
            guard set.savesShared else { continue }
            if let found = file.contains(key) ? key : copy(of: name) {
                try load(found, into: value)
            } else if set.needsShared {
                throw missing(key)
            }
        }
        for saved in set.savedParameters {
            try load(saved.key, into: saved.value)
            rest.remove(saved.key)
        }
        guard rest.isEmpty else {
            throw AdapterError.extraTensors(names: rest.sorted(), file: file.url.path)
        }
    }

    /// A part's own copy of a shared tensor.
    private func copy(of name: String) -> String? {
        file.names.sorted().last { method.isRepeated($0) && $0.hasSuffix("." + name) }
    }

    /// Checks the sizes that the configuration alone gives, before anything is made of them.
    /// - Throws: ``AdapterError/wrongShape(name:file:expected:found:)``.
    func checkSizes(of method: any AdapterMethod, in slots: AdapterSlots) throws {
        let layers = slots.linears.map { ($0.path, $0.outputSize, $0.inputSize) }
        let blocks = slots.blocks.map { ($0.path, $0.hiddenSize, $0.hiddenSize) }
        for (path, outputs, inputs) in [("", 0, 0)] + layers + blocks {
            let sizes = try method.firstSizes(at: path, outputSize: outputs, inputSize: inputs)
            let start = path.isEmpty ? "" : "\(prefix)\(path)."
            for (name, size) in sizes.sorted(by: { $0.key < $1.key }) {
                guard let key = knownKey(of: start + name), let found = file.shape(of: key),
                    found.first != size
                else { continue }
                throw AdapterError.wrongShape(
                    name: key, file: file.url.path, expected: [size] + found.dropFirst(),
                    found: found)
            }
        }
    }

    /// Checks that tensors which are one in the adapter are the same in the file.
    private func checkTwins() throws {
        for key in file.names.sorted() {
            guard let twin = method.twin(of: key), file.contains(twin) else { continue }
            let (first, second) = (try file.tensor(twin), try file.tensor(key))
            guard first.shape == second.shape, try first.largestDifference(to: second) == 0 else {
                throw AdapterError.differentTwins(twin, key, file: file.url.path)
            }
        }
    }

    /// The file's weights of the model; a module that is saved is saved whole.
    func savedParameters(
        of parameters: [Parameter], _ parts: AdapterParts, listed: [String]
    ) throws -> [SavedParameter] {
        let own = try ownKeys(parts)
        let saved = try file.names.compactMap { key -> SavedParameter? in
            if own.contains(key) || isRepeated(key) { return nil }
            let name = key.withoutPrefix(prefix)
                .replacing(".base_layer.", with: ".")
            guard let found = parameters.first(where: { $0.name.isOrEndsIn(name) }) else {
                throw AdapterError.noSuchLayer(name: key, file: file.url.path)
            }
            let value = try Tensor.zeros(found.value.shape, device: found.value.device)
            return try SavedParameter(found, key: key, value: value)
        }
        let found = Set(saved.map(\.name))
        // A bias may come alone: PEFT's `bias` option.
        let whole = found.filter { !$0.hasSuffix(".bias") }
        for parameter in parameters where !found.contains(parameter.name) {
            let module = parameter.name.split(separator: ".").dropLast().joined(separator: ".")
            let isStarted = whole.contains { $0.hasPrefix(module + ".") }
            if isStarted || listed.contains(where: module.isOrEndsIn) {
                throw missing(prefix + parameter.name)
            }
        }
        return saved
    }

    /// Keys of the adapter's own tensors, with the body's prefix and without.
    private func ownKeys(_ parts: AdapterParts) throws -> Set<String> {
        var keys = Set(parts.shared.map { "base_model." + $0.name })
        for placed in parts.placed {
            for (name, _) in try placed.part.savedTensors() {
                for name in method.spellings(of: name) {
                    keys.insert(prefix + placed.path + name)
                    keys.insert(prefix + placed.path.withoutPrefix(bodyPrefix) + name)
                    if placed.path.isEmpty { keys.insert(name) }
                }
            }
        }
        return keys
    }

    /// The file's name of a tensor.
    private func key(of name: String) throws -> String {
        guard let known = knownKey(of: name) else { throw missing(name) }
        return known
    }

    private func knownKey(of name: String) -> String? {
        let bare = prefix + name.withoutPrefix(prefix).withoutPrefix(bodyPrefix)
        return [name, bare].flatMap(method.spellings).first(where: file.contains)
    }

    /// Whether a tensor is no part of the adapter: the method says so, or PEFT's `bias` of "all" took it
    /// along from the wrapper of a module that is saved under its own name, which is the one that PEFT
    /// reads. Inside a module that is wrapped as a whole, the adapter's name comes after the wrapper's.
    private func isRepeated(_ key: String) -> Bool {
        if method.isRepeated(key) { return true }
        let words = key.split(separator: ".").map(String.init)
        guard let wrapper = words.firstIndex(where: Self.wrappers.contains) else { return false }
        return (1...2).contains { count in
            var rest = words
            rest.removeSubrange(wrapper..<min(wrapper + count, rest.count - 1))
            return rest.count < words.count && file.contains(rest.joined(separator: "."))
        }
    }

    private static let wrappers: Set = ["modules_to_save", "original_module"]

    private func missing(_ key: String) -> AdapterError {
        .missingTensor(name: key, file: file.url.path)
    }

    private func load(_ key: String, into value: Tensor) throws {
        let stored = try file.tensor(key)
        guard stored.shape == value.shape else {
            throw AdapterError.wrongShape(
                name: key, file: file.url.path, expected: value.shape, found: stored.shape)
        }
        try withoutGradient { _ = try value.copy(from: stored) }
    }
}
