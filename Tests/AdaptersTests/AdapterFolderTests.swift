import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

/// Saved adapters that do not fit, or are not what they say.
@Suite struct AdapterFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Writes an adapter on query and value of a tiny model.
    private func writeAdapter(_ method: any AdapterMethod = LoRA(rank: 2)) throws {
        let bert = try Bert.tiny()
        let set = try AdapterSet(
            method, targets: .names(["query", "value"]), of: bert.slots,
            savedParameters: bert.parameters.filter { $0.name.hasPrefix("classifier.") },
            using: Generator(seed: 1))
        try randomize(set, seed: 7)
        try AdapterFolder.write(set, baseModel: "base", to: folder.url)
    }

    private func tensors() throws -> [String: Tensor] {
        let file = try SafetensorsFile(folder.file("adapter_model.safetensors"))
        return Dictionary(
            uniqueKeysWithValues: try file.names.map { ($0, try file.tensor($0).cloned()) })
    }

    private func rewrite(_ change: (inout [String: Tensor]) throws -> Void) throws {
        var tensors = try tensors()
        try change(&tensors)
        try SafetensorsWriter.write(tensors, to: folder.file("adapter_model.safetensors"))
    }

    private func rewriteConfiguration(_ change: (inout [String: Any]) -> Void) throws {
        var fields = try #require(
            try JSONSerialization.jsonObject(with: folder.read("adapter_config.json"))
                as? [String: Any])
        change(&fields)
        try folder.write(JSONSerialization.data(withJSONObject: fields), to: "adapter_config.json")
    }

    private func attach(to bert: Bert? = nil) throws {
        let bert = try bert ?? Bert.tiny()
        _ = try AdapterFolder(folder.url).attach(to: bert.slots)
    }

    private let queryA =
        "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight"

    @Test("Names and fields are PEFT's")
    func layout() throws {
        try writeAdapter()
        let names = try tensors().keys.sorted()
        #expect(names.count == 4 * 2 + 2)
        #expect(names.contains(queryA))
        #expect(names.contains("base_model.model.classifier.weight"))
        let file = try ConfigurationFile(folder.file("adapter_config.json"))
        #expect(try file.text("peft_type") == "LORA")
        #expect(try file.text("task_type") == "SEQ_CLS")
        #expect(try file.integer("r") == 2)
        #expect(try file.integer("lora_alpha") == 4)
        #expect(file.fields["target_modules"] as? [String] == ["query", "value"])
        #expect(file.fields["modules_to_save"] as? [String] == ["classifier"])
        #expect(try file.text("base_model_name_or_path") == "base")
    }

    @Test("A missing tensor is named", arguments: ["lora_A", "lora_B"])
    func missingTensor(_ part: String) throws {
        try writeAdapter()
        let name = queryA.replacingOccurrences(of: "lora_A", with: part)
        try rewrite { $0[name] = nil }
        #expect(message { try attach() }.hasSuffix("has no tensor '\(name)'"))
    }

    @Test("A layer that the configuration names but the file lacks is missed")
    func missingLayer() throws {
        try writeAdapter()
        try rewriteConfiguration { $0["target_modules"] = ["query", "value", "key"] }
        #expect(message { try attach() }.contains("has no tensor 'base_model.model.bert"))
    }

    @Test("A tensor that has no place is refused by name")
    func extraTensor() throws {
        try writeAdapter()
        try rewrite { $0["base_model.model.bert.strange.weight"] = try Tensor([1.0]) }
        #expect(
            message { try attach() }.contains(
                "'base_model.model.bert.strange.weight' belongs to no layer"))
    }

    @Test("A layer that stands in the file twice is refused")
    func twice() throws {
        try writeAdapter()
        let bare = queryA.replacingOccurrences(of: "model.bert.", with: "model.")
        try rewrite { $0[bare] = $0[queryA] }
        let text = message { try attach() }
        #expect(
            text.contains("tensors that its configuration does not speak of: \(bare)"),
            "in: \(text)")
    }

    @Test("A tensor of another shape is named with both shapes")
    func wrongShape() throws {
        try writeAdapter()
        try rewrite { $0[queryA] = try Tensor.zeros([3, 12]) }
        #expect(
            message { try attach() }.hasSuffix(
                "'\(queryA)' has shape [3, 12], but this model needs [2, 12]"))
    }

    @Test(
        "An adapter for a deeper, a wider or another model is refused",
        arguments: ["deep", "wide", "labels"])
    func otherModel(_ kind: String) throws {
        try writeAdapter()
        var configuration = BertConfiguration.tiny()
        if kind == "deep" { configuration.layers = 1 }
        if kind == "wide" { configuration.hiddenSize = 15 }
        let other = try Bert.random(
            configuration, labels: kind == "labels" ? 3 : 2, computeType: .float32, seed: 1)
        let text = message { try attach(to: other) }
        #expect(
            text.contains(kind == "deep" ? "is it for another model?" : "but this model needs"),
            "in: \(text)")
    }

    @Test("Tensors of a bare encoder find their layers")
    func bareNames() throws {
        try writeAdapter()
        try rewrite { tensors in
            tensors = Dictionary(
                uniqueKeysWithValues: tensors.map {
                    ($0.key.replacingOccurrences(of: "model.bert.", with: "model."), $0.value)
                })
        }
        let bert = try Bert.tiny()
        let set = try AdapterFolder(folder.url).attach(to: bert.slots)
        #expect(set.layers.count == 4)
    }

    @Test("A folder that is no adapter says so")
    func noAdapter() throws {
        #expect(message { try attach() }.hasSuffix("has no adapter_config.json"))
        try writeAdapter()
        try FileManager.default.removeItem(at: folder.file("adapter_model.safetensors"))
        #expect(message { try attach() }.contains("adapter_model.safetensors cannot be read"))
    }

    /// A field that PEFT may write and this package cannot honour, with words of the refusal.
    struct Field: Sendable, CustomTestStringConvertible {
        let key: String
        let json: String
        let words: String
        let method: any AdapterMethod
        var testDescription: String { "\(key): \(json)" }

        init(
            _ key: String, _ json: String, _ words: String,
            _ method: any AdapterMethod = LoRA(rank: 2)
        ) {
            (self.key, self.json, self.words, self.method) = (key, json, words, method)
        }
    }

    static let unsupported = [
        Field("peft_type", #""IA3""#, "but known are LORA, "),
        Field("peft_type", "null", "is (none)"),
        Field("lora_bias", "true", "not supported", DoRA(LoRA(rank: 2))),
        Field("init_lora_weights", #""pissa_niter_4""#, "convert the adapter to plain LoRA"),
        Field("init_lora_weights", #""corda""#, "convert", DoRA(LoRA(rank: 2))),
        Field("init_lora_weights", "3", "true or false"),
        Field("init_weights", #""olora""#, "changes the base's weights", HiRA(rank: 2)),
        Field("hira_dropout", "1", "less than 1", HiRA(rank: 2)),
        Field("rank_pattern", #"{"query": 0}"#, "ranks by layer", HiRA(rank: 2)),
        Field("bias", #""some""#, "one of none, all, lora_only"),
        Field("rank_pattern", #"{"query": 0}"#, "ranks by layer"),
        Field("rank_pattern", "[4]", "must be an object"),
        Field("alpha_pattern", #"{"query": "x"}"#, "numbers by layer"),
        Field("layers_to_transform", #""all""#, "must be a list of Int"),
        Field("r", "0", "from 1 to 65536"),
        Field("r", #""8""#, "must be an integer"),
        Field("lora_dropout", "1", "less than 1"),
        Field("lora_alpha", #""x""#, "must be a number"),
        Field("use_rslora", "1", "true or false"),
        Field("magnitude_fn", #""cube""#, "one of relu, abs, sigmoid, identity", DualLoRA()),
        Field("direction_fn", #""tanh""#, "one of sign, identity, fixed", DualLoRA()),
        Field("sign_grad", #""ste""#, "must be one of ste_clip, ste_clip_dw, ", DualLoRA()),
        Field("warmup_mode", #""slow""#, "one of gate, subtract_init, lr_only", DualLoRA()),
        Field("r1", "-1", "from 1 to 65536", DualLoRA()),
        Field("gate", #""open""#, "must be a number", DualLoRA()),
        Field("gate", "1.5", "from 0 to 1", DualLoRA()),
        Field("gate", "-0.1", "from 0 to 1", DualLoRA()),
        Field("warmup_steps_gate", "-5", "at least 0 or auto", DualLoRA()),
    ]

    @Test(
        "A configuration that asks for more than there is, is refused by its field",
        arguments: unsupported)
    func unsupportedField(_ row: Field) throws {
        try writeAdapter(row.method)
        let value = try JSONSerialization.jsonObject(
            with: Data(row.json.utf8), options: .fragmentsAllowed)
        try rewriteConfiguration { $0[row.key] = value }
        let text = message { try attach() }
        #expect(text.contains("adapter_config.json: '\(row.key)'"), "in: \(text)")
        #expect(text.contains(row.words), "in: \(text)")
    }

    @Test("Fields that change nothing are let pass")
    func harmlessFields() throws {
        try writeAdapter()
        try rewriteConfiguration {
            $0["rank_pattern"] = [String: Int]()
            $0["use_dora"] = false
            $0["fan_in_fan_out"] = true
            $0["auto_mapping"] = NSNull()
            $0["unknown_to_us"] = 3
        }
        #expect(message { try attach() } == "no error")
    }

    @Test("What PEFT's `bias` of \"all\" takes along from a saved module's wrapper is let pass")
    func wrappedModules() throws {
        try writeAdapter()
        let head = "base_model.model.classifier."
        try rewrite {
            for name in ["modules_to_save", "original_module"] {
                $0["\(head)\(name).bias"] = $0[head + "bias"]
            }
        }
        #expect(message { try attach() } == "no error")
        // But not instead of the module.
        try rewrite { $0[head + "bias"] = nil }
        #expect(message { try attach() }.contains("classifier.modules_to_save.bias"))
    }

    @Test("DoRA's magnitude is read by both of its names, but not by both at once")
    func magnitudeNames() throws {
        try writeAdapter(DoRA(LoRA(rank: 2)))
        let name = queryA.replacingOccurrences(of: "lora_A.weight", with: "lora_magnitude_vector")
        #expect(try tensors().keys.contains(name))
        try rewrite { $0[name + ".weight"] = $0[name] }
        #expect(message { try attach() }.contains("does not speak of: \(name).weight"))
        try rewrite { $0[name] = nil }
        #expect(message { try attach() } == "no error")
        try rewrite { $0[name + ".weight"] = nil }
        #expect(message { try attach() }.hasSuffix("has no tensor '\(name)'"))
    }

    @Test("A pattern of HiRA's ranks that PEFT did not follow is not followed here")
    func ignoredPattern() throws {
        try writeAdapter(HiRA(rank: 2))
        try rewriteConfiguration { $0["rank_pattern"] = ["query": 5] }
        #expect(message { try attach() } == "no error")
        // Where the file has other ranks, the pattern says which.
        var method = HiRA(rank: 2)
        method.ranks = LayerPattern([("query", 5)])
        try writeAdapter(method)
        #expect(message { try attach() } == "no error")
        try rewriteConfiguration { $0["rank_pattern"] = [String: Int]() }
        #expect(message { try attach() }.contains("but this model needs [2, 12]"))
    }

    @Test("Patterns that overlap mean the same when they are read, in the order of the file")
    func overlappingPatterns() throws {
        // People's order; code points put ( before ., and Q before both of them after.
        let options: MethodOptions = [
            "rank-pattern": ".*(query|value)=5,(query|key)=2",
            "alpha-pattern": "value=40,query=3,.*=8",
        ]
        try writeAdapter(LoRA(options))
        let text = String(decoding: try folder.read("adapter_config.json"), as: UTF8.self)
        let places = try ["\"(query|key)\"", "\".*(query|value)\""].map {
            try #require(text.range(of: $0)).lowerBound
        }
        #expect(places[0] < places[1])
        let batch = try TokenBatch.seeded(lengths: [6, 4])
        let bert = try Bert.tiny()
        let set = try AdapterSet(
            LoRA(options), targets: .names(["query", "value"]), of: bert.slots,
            savedParameters: bert.parameters.filter { $0.name.hasPrefix("classifier.") },
            using: Generator(seed: 1))
        try randomize(set, seed: 7)
        let other = try Bert.tiny()
        let loaded = try AdapterFolder(folder.url).attach(to: other.slots)
        #expect(try other.logits(batch).isIdentical(to: bert.logits(batch)))
        #expect(
            loaded.parameters.first { $0.name.hasSuffix("query.lora_A.weight") }?.value.size(0) == 2
        )
    }

    // MARK: - Modules that are saved whole

    private func set(
        _ targets: TargetSelection, saving module: String, of bert: Bert
    ) throws -> AdapterSet {
        let set = try AdapterSet(
            LoRA(rank: 2), targets: targets, of: bert.slots,
            savedParameters: bert.parameters.filter { $0.name.contains(module) },
            using: Generator(seed: 1))
        try randomize(set, seed: 7)
        for saved in set.savedParameters { try saved.value.multiply(by: 2) }
        return set
    }

    @Test(
        "Nothing in a module that is saved whole is adapted, and the file says which modules are",
        arguments: [
            ("bert.pooler.", "pooler.dense", 12),
            ("layer.0.intermediate.", "0.intermediate.dense", 12),
            ("classifier.", "classifier", 13),
        ])
    func savedModules(_ module: String, _ name: String, _ count: Int) throws {
        let batch = try TokenBatch.seeded(lengths: [6, 4])
        let (bert, other) = (try Bert.tiny(), try Bert.tiny())
        let set = try set(.allLinear, saving: module, of: bert)
        #expect(set.layers.count == count)
        #expect(set.layers.allSatisfy { !$0.path.contains(module) })
        try AdapterFolder.write(set, baseModel: "base", to: folder.url)
        let fields = try ConfigurationFile(folder.file("adapter_config.json")).fields
        #expect(fields["modules_to_save"] as? [String] == [name])
        let loaded = try AdapterFolder(folder.url).attach(to: other.slots)
        #expect(loaded.layers.map(\.path) == set.layers.map(\.path))
        #expect(try other.logits(batch).isIdentical(to: bert.logits(batch)))
        // As PEFT writes it: by the end of a path that the module has in common with targets.
        try rewriteConfiguration { $0["target_modules"] = ["dense", "query", "key", "value"] }
        #expect(message { try attach() } == "no error")
    }

    @Test("Targets that are all saved whole are none")
    func onlySavedTargets() throws {
        let text = message {
            _ = try set(.names(["pooler.dense"]), saving: "bert.pooler.", of: Bert.tiny())
        }
        #expect(text.hasPrefix("target 'pooler.dense outside of what is saved whole' matches no"))
    }

    @Test("Everything in a file but the base's weights is in float32")
    func sharedTypes() throws {
        for method in [VeRA(rank: 3), RandLoRA(rank: 3)] as [any AdapterMethod] {
            let set = try AdapterSet(
                method, targets: .names(["query"]), of: Bert.tiny(computeType: .float64).slots,
                using: Generator(seed: 1))
            try AdapterFolder.write(set, baseModel: "base", to: folder.url)
            let file = try SafetensorsFile(folder.file("adapter_model.safetensors"))
            #expect(file.names.contains { $0.hasPrefix("base_model.") && $0.hasSuffix("_A") })
            #expect(file.names.allSatisfy { file.dtype(of: $0) == .float32 })
        }
    }

    #if os(Linux)
        // In a process of its own: the memory is everyone's.
        @Test("A size that is no tensor's is refused before anything of it is made")
        func hugeSizes() async {
            await #expect(processExitsWith: .success) {
                let tests = try AdapterFolderTests()
                let methods: [(any AdapterMethod, String)] = [
                    (LoRA(rank: 2), "r"), (HiRA(rank: 2), "r"), (DualLoRA(), "r1"),
                    (AdapterP(bottleneck: 2), "bottleneck_size"),
                    (PromptTuning(virtualTokens: 2), "num_virtual_tokens"),
                ]
                let slots = AdapterSlots(
                    linears: [Linear(path: "x", weight: try .seeded([4, 3000], seed: 1))],
                    prompt: PromptSlot(
                        words: Parameter(name: "w", value: try .seeded([5, 3000], seed: 1)),
                        layers: 1, heads: 1))
                for (method, key) in methods {
                    let set = try AdapterSet(
                        method, targets: .names(["x"]), of: slots, using: Generator(seed: 1))
                    set.remove()
                    try AdapterFolder.write(set, baseModel: "base", to: tests.folder.url)
                    try tests.rewriteConfiguration { $0[key] = 65536 }
                    let before = try peakBytes()
                    let text = message {
                        _ = try AdapterFolder(tests.folder.url).load(for: slots)
                    }
                    #expect(text.contains("but this model needs [65536, "), "\(key): \(text)")
                    // One tensor of that size would have 786 MB.
                    #expect(try peakBytes() - before < 100 << 20, "\(key)")
                }
            }
        }
    #endif

    @Test("A folder that cannot be written leaves nothing behind")
    func unwritable() throws {
        let set = try AdapterSet(
            LoRA(rank: 2), targets: .names(["query"]), of: Bert.tiny().slots,
            using: Generator(seed: 1))
        #expect(throws: SafetensorsError.self) {
            try AdapterFolder.write(set, baseModel: "base", to: folder.file("none"))
        }
        #expect(folder.contents.isEmpty)
    }
}
