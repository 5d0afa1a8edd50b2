import Testing

@testable import DualAdapters

extension MethodOptions {
    /// These and others.
    fileprivate func with(_ others: MethodOptions) -> MethodOptions {
        others.all.reduce(into: self) { $0[$1.name] = $1.value }
    }
}

/// What a method says of its own options.
@Suite struct MethodSettingsTests {
    private static let lora: MethodOptions = [
        "rank": "3", "alpha": "5", "dropout": "0.1", "use-rslora": "true", "bias": "lora_only",
        "rank-pattern": "q_proj=4,layers.0.v_proj=8", "alpha-pattern": "q_proj=4.5",
    ]

    /// Options that are not the defaults, which together name all that the method has.
    static let rows: [(method: String, options: MethodOptions)] = [
        ("full", ["train": "bias,norm"]),
        ("lora", lora.with(["lora-bias": "true"])),
        ("lora", ["init-weights": "gaussian", "bias": "all"]),
        ("lora-plus", lora.with(["loraplus-lr-ratio": "4", "lora-bias": "true"])),
        ("dora", lora.with(["init-weights": "gaussian"])),
        ("hira", ["rank": "3", "dropout": "0.1", "init-weights": "gaussian"]),
        ("mora", ["rank": "3", "dropout": "0.1", "mora-type": "6", "bias": "lora_only"]),
        ("flora", ["rank": "3", "alpha": "5", "dropout": "0.1", "init-style": "nlu"]),
        (
            "randlora",
            [
                "rank": "3", "alpha": "5", "dropout": "0.1", "sparse": "true",
                "very-sparse": "true", "bias": "randlora_only", "projection-prng-key": "-7",
                "save-projection": "false",
            ]
        ),
        (
            "vera",
            [
                "rank": "3", "d-initial": "-0.2", "dropout": "0.1", "bias": "vera_only",
                "projection-prng-key": "7", "save-projection": "false",
            ]
        ),
        (
            "corda",
            [
                "rank": "3", "alpha": "5", "dropout": "0.1", "corda-method": "kpm",
                "calibration-samples": "9",
            ]
        ),
        (
            "delta-lora",
            ["rank": "3", "alpha": "5", "delta-scale": "0.5", "delta-start": "0"]
        ),
        (
            "galore",
            [
                "rank": "3", "update-proj-gap": "7", "galore-scale": "0.25", "proj-type": "full",
            ]
        ),
        (
            "garare",
            [
                "rank": "3", "update-proj-gap": "7", "galore-scale": "2", "proj-type": "left",
                "basis": "orthonormal",
            ]
        ),
        ("adapter-l", ["bottleneck": "3", "placement": "houlsby", "activation": "tanh"]),
        (
            "adapter-p",
            [
                "bottleneck": "3", "activation": "relu", "scaling": "learned", "init": "mam",
                "mode": "serial-input", "use-bias": "true", "dropout": "0.1",
            ]
        ),
        ("adapter-p", ["scaling": "0.5"]),
        (
            "prefix",
            [
                "virtual-tokens": "3", "prefix-projection": "true", "encoder-hidden-size": "5",
                "init": "zero", "prefix-dropout": "0.2",
            ]
        ),
        ("prompt", ["virtual-tokens": "3", "init-text": "Is it, or: not?"]),
        ("prompt", ["init": "sample_vocab"]),
        (
            "p-tuning",
            [
                "virtual-tokens": "3", "encoder-reparameterization-type": "LSTM",
                "encoder-hidden-size": "5", "encoder-num-layers": "1", "encoder-dropout": "0.1",
            ]
        ),
        (
            "loreft",
            [
                "rank": "3", "positions": "f3+l2", "layers": "0,2-4", "tied-positions": "false",
                "dropout": "0.1", "activation": "tanh", "variant": "noreft",
            ]
        ),
        (
            "dual-lora",
            [
                "magnitude-rank": "3", "direction-rank": "5", "alpha": "7", "dropout": "0.1",
                "gate-steps": "0", "init-std": "0.3", "sign-grad": "xnor", "magnitude-fn": "abs",
            ]
        ),
        ("dual-lora", ["rank": "6", "setting": "3"]),
        ("dual-lora", ["warmup-mode": "subtract_init", "direction-fn": "identity"]),
    ]

    @Test("The settings of a method make the same method again", arguments: rows.indices)
    func remade(_ index: Int) throws {
        let (name, options) = Self.rows[index]
        for options in [options, [:]] {
            let method = try MethodRegistry.make(name, options)
            let again = try MethodRegistry.make(name, method.settings)
            #expect("\(again)" == "\(method)")
            #expect(again.settings == method.settings)
        }
        let standard = try MethodRegistry.make(name, [:])
        #expect(try "\(MethodRegistry.make(name, options))" != "\(standard)")
    }

    @Test(
        "No option of a method is missing in its settings",
        arguments: MethodRegistry.builtIn.map { $0.facts.name })
    func complete(_ name: String) throws {
        let said = try Self.rows.filter { $0.method == name }.flatMap {
            try MethodRegistry.make(name, $0.options).settings.all.map(\.name)
        }
        // Other words for what is said by others.
        let short: Set<String> = name == "dual-lora" ? ["rank", "setting"] : []
        let options = try MethodRegistry.method(named: name).options.map(\.name)
        #expect(Set(said) == Set(options).subtracting(short))
        #expect(!said.isEmpty)
    }
}
