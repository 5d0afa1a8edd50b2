import DualModules

/// Which linear layers of a model an adapter changes, and which embeddings; PEFT's rules.
public struct TargetSelection: Equatable, Sendable {
    public enum Rule: Equatable, Sendable {
        /// Layers whose path is, or ends in, one of the names.
        case names([String])
        /// Layers whose whole path matches a regular expression.
        case pattern(String)
        /// Every linear layer but the head, and no embedding.
        case allLinear
        /// The layers into and out of the feed-forward of every block; not a gate.
        case feedForward
        /// The layers that end the two branches of every block, attention and feed-forward.
        case branchEnds
        /// The architecture's own choice.
        case standard
    }

    public var rule: Rule
    /// Layers that are left out though the rule names them.
    public var excluded: Rule?
    /// Numbers of the blocks whose layers are meant, where names choose; nil for all.
    public var blocks: [Int]?
    /// What stands before a block's number in its path (`layers`, `h`), as a regular expression; empty
    /// for anything.
    public var blocksPattern: [String] = []
    /// Modules that are saved whole, by path or the end of one: nothing in them is adapted, as in PEFT.
    public var savedModules: [String] = []
    /// Whether a file says it, whose tensors say the same once more.
    var isOfFile = false
    /// Whether a head that shares the embedding's weight has the embedding's adapter, whichever of the two
    /// is named: PEFT's `ensure_weight_tying`.
    var keepsTie = false

    public init(_ rule: Rule) { self.rule = rule }

    public static func names(_ names: [String]) -> TargetSelection { .init(.names(names)) }
    public static func pattern(_ pattern: String) -> TargetSelection { .init(.pattern(pattern)) }
    public static var allLinear: TargetSelection { .init(.allLinear) }
    public static var standard: TargetSelection { .init(.standard) }

    /// The same where something is said; where nothing is, a method's own choice.
    func standing(for choice: Rule) -> TargetSelection {
        var selection = self
        if rule == .standard { selection.rule = choice }
        return selection
    }

    /// Whether nothing is said of layers.
    var isStandard: Bool {
        var layers = self
        (layers.savedModules, layers.isOfFile, layers.keepsTie) = ([], false, false)
        return layers == .standard
    }

    /// The spelling of the command line: "query,value", or "all-linear".
    public init(_ text: String) {
        let names = text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
        self.init(names == ["all-linear"] ? .allLinear : .names(names))
    }

    /// What is meant of a model.
    public struct Choice {
        /// In the model's order, the head of a language model last.
        public fileprivate(set) var linears: [Linear] = []
        public fileprivate(set) var embeddings: [Embedding] = []

        var isEmpty: Bool { linears.isEmpty && embeddings.isEmpty }
    }

    /// The layers that are meant, of a model's linear layers and the head of a language model.
    /// - Throws: as ``choice(of:)``, and ``AdapterError/embeddingTarget(name:method:)`` where an embedding
    ///   is meant.
    public func layers(of slots: AdapterSlots) throws -> [Linear] {
        let choice = try choice(of: slots)
        if let embedding = choice.embeddings.first {
            throw AdapterError.embeddingTarget(name: embedding.path, method: "this method")
        }
        return choice.linears
    }

    /// The layers and embeddings that are meant; every name must match at least one, of a file's some name.
    /// - Throws: ``AdapterError/noSuchTarget(name:known:)`` listing the names that exist,
    ///   ``AdapterError/badPattern(_:)``, ``AdapterError/slowPattern(_:path:)``.
    public func choice(of slots: AdapterSlots) throws -> Choice {
        let known = slots.targetPaths
        func matching(_ rule: Rule) throws -> [String] {
            switch rule {
            case .allLinear: return slots.linears.map(\.path)
            case .feedForward:
                return slots.blockLayers.flatMap {
                    [$0.feedForwardInput.path, $0.feedForwardOutput.path]
                }
            case .branchEnds:
                return slots.blockLayers.flatMap {
                    [$0.attentionOutput.path, $0.feedForwardOutput.path]
                }
            case .standard: return try matching(.names(slots.defaultTargets))
            case .names(let names): return known.filter { names.contains(where: $0.isOrEndsIn) }
            case .pattern(let pattern):
                return try known.filter {
                    let bare = $0.withoutPrefix(slots.bodyPrefix)
                    return try LayerPath.matches($0, pattern)
                        || bare != $0 && LayerPath.matches(bare, pattern)
                }
            }
        }
        try check(slots, known)
        let left = try excluded.map { Set(try matching($0)) } ?? []
        var paths = Set(
            try matching(rule).filter { path in
                try !left.contains(path) && !savedModules.contains(where: path.isInside)
                    && isInBlocks(path, bodyPrefix: slots.bodyPrefix)
            })
        if keepsTie, let head = slots.head, let words = slots.embeddings.first {
            paths.remove(head.path)
            paths.insert(words.path)
        }
        let choice = Choice(
            linears: (slots.linears + (slots.head.map { [$0] } ?? [])).filter {
                paths.contains($0.path)
            }, embeddings: slots.embeddings.filter { paths.contains($0.path) })
        guard !choice.isEmpty else {
            throw AdapterError.noSuchTarget(
                name: description, known: Self.knownNames(slots.linears))
        }
        return choice
    }

    private func check(_ slots: AdapterSlots, _ known: [String]) throws {
        guard case .names(let names) = rule else { return }
        guard !names.isEmpty else { throw AdapterError.noTargets }
        // What PEFT wrote may name layers of other architectures besides.
        if isOfFile, names.contains(where: { name in known.contains { $0.isOrEndsIn(name) } }) {
            return
        }
        for name in names where !known.contains(where: { $0.isOrEndsIn(name) }) {
            if slots.isTaskHead(name) { throw AdapterError.headTarget(name: name) }
            throw AdapterError.noSuchTarget(name: name, known: Self.knownNames(slots.linears))
        }
    }

    /// A regular expression is the whole truth, and so is a whole path: PEFT then looks at no numbers.
    private func isInBlocks(_ path: String, bodyPrefix: String) throws -> Bool {
        guard let blocks, !blocks.isEmpty else { return true }
        switch rule {
        case .pattern: return true
        case .names(let names)
        where names.contains(path) || names.contains(path.withoutPrefix(bodyPrefix)):
            return true
        default: break
        }
        let words = path.split(separator: ".").map(String.init)
        let numberIndex = try words.indices.dropFirst().first { index in
            guard Int(words[index]) != nil else { return false }
            let before = words[..<index].joined(separator: ".")
            return try blocksPattern.isEmpty
                || blocksPattern.contains { try LayerPath.matches(before, "(.*\\.)?(\($0))") }
        }
        return numberIndex.flatMap { Int(words[$0]) }.map(blocks.contains) ?? false
    }

    /// The shortest names that tell layers of different kinds apart, with their shapes.
    private static func knownNames(_ linears: [Linear]) -> [String] {
        var seen: [String] = []
        for layer in linears {
            let words = layer.path.split(separator: ".").map(String.init)
            let suffixes = [1, 3, 2].map { words.suffix($0) }.filter {
                $0.allSatisfy { Int($0) == nil }
            }
            let names = suffixes.map { $0.joined(separator: ".") }
            let name = names.first { isOfOneShape($0, linears) } ?? names.last ?? layer.path
            let label = "\(name) (\(layer.outputSize) x \(layer.inputSize))"
            if !seen.contains(label) { seen.append(label) }
        }
        return seen
    }

    private static func isOfOneShape(_ name: String, _ linears: [Linear]) -> Bool {
        Set(linears.filter { $0.path.isOrEndsIn(name) }.map { [$0.outputSize, $0.inputSize] })
            .count == 1
    }
}

extension TargetSelection: CustomStringConvertible {
    public var description: String {
        let base = Self.text(rule)
        let left = excluded.map { " without " + Self.text($0) } ?? ""
        let inside = blocks.map { " in blocks \($0.map(String.init).joined(separator: ","))" } ?? ""
        let saved = savedModules.isEmpty ? "" : " outside of what is saved whole"
        return base + left + inside + saved
    }

    private static func text(_ rule: Rule) -> String {
        switch rule {
        case .names(let names): names.joined(separator: ",")
        case .pattern(let pattern): pattern
        case .allLinear: "all-linear"
        case .feedForward: "the feed-forward's"
        case .branchEnds: "the ends of branches"
        case .standard: "the architecture's"
        }
    }
}

// MARK: - adapter_config.json

extension TargetSelection {
    /// What a saved adapter's configuration says.
    /// - Throws: ``ConfigurationError``.
    init(_ file: ConfigurationFile) throws {
        self.init(try Self.rule(file, "target_modules") ?? .standard)
        excluded = try Self.rule(file, "exclude_modules")
        if excluded == .names([]) { excluded = nil }
        // Either may be one value instead of a list.
        let block = file.fields["layers_to_transform"] as? Int
        blocks = try block.map { [$0] } ?? file.list("layers_to_transform")
        let pattern = file.fields["layers_pattern"] as? String
        blocksPattern =
            try pattern.map { $0.isEmpty ? [] : [$0] } ?? file.list("layers_pattern") ?? []
        savedModules = try file.list("modules_to_save") ?? []
        isOfFile = true
    }

    private static func rule(_ file: ConfigurationFile, _ key: String) throws -> Rule? {
        guard let text = file.fields[key] as? String else {
            return try (file.list(key) as [String]?).map(Rule.names)
        }
        return text.lowercased() == "all-linear" ? .allLinear : .pattern(text)
    }

    /// The fields of the configuration; what is no list of names is spelled out, as PEFT does.
    /// - Parameter hasExclusion: whether there is a field for layers that are left out.
    func fields(
        chosen paths: [String], standard: [String], hasExclusion: Bool
    ) -> [String: Any] {
        if excluded != nil, !hasExclusion { return ["target_modules": paths.sorted()] }
        let targets = Self.field(rule == .standard ? .names(standard) : rule)
        var fields: [String: Any] = ["target_modules": targets ?? paths.sorted()]
        fields["exclude_modules"] = excluded.flatMap(Self.field)
        if let blocks { fields["layers_to_transform"] = blocks }
        if !blocksPattern.isEmpty { fields["layers_pattern"] = blocksPattern }
        return fields
    }

    /// Names or a pattern as the configuration has them; nil for the other rules.
    private static func field(_ rule: Rule) -> Any? {
        switch rule {
        case .names(let names): names.sorted()
        case .pattern(let pattern): pattern
        case .standard, .allLinear, .feedForward, .branchEnds: nil
        }
    }
}

extension AdapterSlots {
    /// The paths of all that an adapter may change.
    fileprivate var targetPaths: [String] {
        linears.map(\.path) + (head.map { [$0.path] } ?? []) + embeddings.map(\.path)
    }

    /// Whether a name is that of a matrix outside of the body, which is none that adapters change.
    fileprivate func isTaskHead(_ name: String) -> Bool {
        parameters.contains {
            !$0.name.hasPrefix(bodyPrefix) && $0.stored.shape.count == 2
                && $0.name.withoutSuffix(".weight").isOrEndsIn(name)
        }
    }
}

extension String {
    /// Whether this path is, or ends in, another, word by word.
    func isOrEndsIn(_ name: String) -> Bool { self == name || hasSuffix("." + name) }

    /// Whether the path of a module, or a part of it, is a name: it is that module or lies in it.
    func isInside(_ name: String) -> Bool { ".\(self).".contains(".\(name).") }

    func withoutSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }

    func withoutPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
