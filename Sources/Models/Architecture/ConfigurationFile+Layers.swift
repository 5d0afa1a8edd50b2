import DualModules

// What the layers of a model share or differ in.
extension ConfigurationFile {
    /// The most layers that a file may ask for.
    static let mostLayers = 10_000

    /// The number of layers.
    func layerCount(_ key: String, default fallback: Int) throws -> Int {
        try size(key, default: fallback, atMost: Self.mostLayers)
    }

    /// Checks that a checkpoint has as many layers as a configuration asks for, before anything is made of
    /// them.
    func check(layers: Int, of names: ArchitectureNames, in checkpoint: [String]) throws {
        let found = names.blockCount(in: checkpoint)
        guard found > 0, layers > found else { return }
        let key = ["num_hidden_layers", "n_layer"].first { fields[$0] != nil }
        throw bad(
            key ?? "num_hidden_layers", found: "\(layers)",
            expected: "at most \(found), the layers that the checkpoint has")
    }

    /// Whether each layer's window slides (`layer_types`); nil where nothing is said.
    func slidingLayers(count: Int, window: Int?) throws -> [Bool]? {
        guard let value = fields["layer_types"] else { return nil }
        let known = ["full_attention": false, "attention": false, "sliding_attention": true]
        let slides = (value as? [String])?.compactMap { known[$0] }
        guard let slides, slides.count == count, (value as? [String])?.count == count else {
            throw bad(
                "layer_types", found: "\(value)",
                expected: "\(count) of full_attention or sliding_attention, one a layer")
        }
        guard window != nil || !slides.contains(true) else {
            throw bad(
                "layer_types", found: "sliding_attention",
                expected: "full_attention: there is no sliding_window, or use_sliding_window is "
                    + "not true")
        }
        return slides
    }

    /// Refuses windows in an architecture that has none: transformers' attention sees past them, but its
    /// cache forgets what lies before them.
    func refuseWindows(positions: Int) throws {
        if let slides = try slidingLayers(
            count: (fields["layer_types"] as? [Any])?.count ?? 0, window: 1),
            slides.contains(true)
        {
            throw bad(
                "layer_types", found: "sliding_attention",
                expected: "full_attention: the architecture has no windows")
        }
        if let window = try integer("sliding_window"), window < positions {
            throw bad(
                "sliding_window", found: "\(window)",
                expected: "missing, or at least the \(positions) positions: the architecture has "
                    + "no windows")
        }
    }
}

extension UnsupportedKey {
    /// Keys by which transformers lets the tokens of any decoder see others than those before them.
    static let ofDecoders = [
        UnsupportedKey("is_causal", unless: .yes),
        UnsupportedKey("attention_chunk_size", unless: .nothing),
        UnsupportedKey("kv_sharing_modes", unless: .nothing),
    ]
}
