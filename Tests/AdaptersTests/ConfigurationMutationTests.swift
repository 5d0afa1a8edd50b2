import DualModels
import DualModules
import DualTorch
import Foundation
import TestSupport
import Testing

@testable import DualAdapters

#if os(Linux)
    /// `adapter_config.json` with fields that say anything at all.
    @Suite struct ConfigurationMutationTests {
        private static let names = MethodRegistry.builtIn.compactMap {
            ($0 as? any AdapterMethod.Type)?.facts.name
        }

        // In processes of their own: a trap ends one, and the memory is everyone's.
        @Test("Every changed configuration is loaded, or refused in one line")
        func mutations() async {
            await #expect(processExitsWith: .success) {
                for name in ConfigurationMutationTests.names {
                    try Mutations(of: name).run(200)
                }
            }
        }
    }

    /// Changes of one method's saved adapter.
    private struct Mutations {
        private let name: String
        private let folder: TemporaryFolder
        private let fields: [String: Any]
        private let slots: AdapterSlots

        init(of name: String) throws {
            self.name = name
            folder = try TemporaryFolder()
            let kind = try #require(MethodRegistry.method(named: name) as? any AdapterMethod.Type)
            let options: MethodOptions =
                kind.options.contains { $0.name == "rank" } ? ["rank": "2"] : [:]
            slots = try TinyDecoder.all[0].make().slots
            let set = try AdapterSet(kind.init(options), of: slots, using: Generator(seed: 1))
            set.remove()
            try AdapterFolder.write(set, baseModel: "base", to: folder.url)
            fields = try #require(
                try JSONSerialization.jsonObject(with: folder.read("adapter_config.json"))
                    as? [String: Any])
        }

        private static let more = [
            "rank_pattern", "alpha_pattern", "layers_to_transform", "layers_pattern",
            "exclude_modules", "trainable_token_indices", "target_parameters", "modules_to_save",
            "ensure_weight_tying", "encoder_hidden_size", "num_transformer_submodules",
        ]

        private static func values() -> [Any] {
            let numbers: [Any] = [
                1 << 62, Int.max, Int.min, 1_000_000_000_000, 65_536, 65_537, 0, -1, 1, 3, 1.5,
                -0.5, 1e300, 1e-300, true, false, NSNull(),
            ]
            let texts: [Any] = [
                "", "x", "((.*)*)*z", "all-linear", "[", String(repeating: "9", count: 500),
            ]
            let lists: [Any] = [
                [Any](), [1 << 62], [-1], [0, 0], [1.5], ["q_proj", "lm_head"], ["embed_tokens"],
                [NSNull()],
            ]
            let objects: [Any] = [
                [String: Any](), ["q_proj": 1 << 62], ["q_proj": -1], [".*": 65_536], ["(": 2],
                ["embed_tokens": [1 << 62]], ["lm_head": [3, 3]], ["x": ["y": "z"]],
            ]
            return numbers + texts + lists + objects
        }

        func run(_ count: Int) throws {
            let values = Self.values()
            var dice = Dice(state: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
            let keys = Set(fields.keys).union(Self.more).subtracting(["peft_type"]).sorted()
            let before = try peakBytes()
            for _ in 0..<count {
                var changed = fields
                for _ in 0...dice.next(3) {
                    changed[keys[dice.next(keys.count)]] = values[dice.next(values.count)]
                }
                try folder.write(
                    JSONSerialization.data(withJSONObject: changed), to: "adapter_config.json")
                do {
                    let adapter = try AdapterFolder(folder.url)
                    _ = try adapter.vocabularySize(for: slots, tokenizerCount: nil)
                    _ = try adapter.load(for: slots)
                } catch {
                    let isTyped =
                        error is AdapterError || error is ConfigurationError
                        || error is SafetensorsError
                    #expect(isTyped, "\(name): \(error) of \(changed)")
                    #expect(!"\(error)".contains("\n"), "\(name): \(error)")
                }
            }
            // Of tensors that a tiny model has, nothing is large.
            #expect(try peakBytes() - before < 150 << 20, "\(name)")
        }
    }

    /// Numbers that are the same in every run.
    private struct Dice {
        var state: UInt64

        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }
#endif
