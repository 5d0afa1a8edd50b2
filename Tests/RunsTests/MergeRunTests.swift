import DualAdapters
import DualModels
import DualModules
import DualRuns
import DualTasks
import DualTorch
import DualTraining
import Foundation
import TestSupport
import Testing
import ToyTasks

@Suite struct MergeRunTests {
    /// Saves an adapter for the workplace's model with factors of the given size.
    private func writeAdapter(_ place: Workplace, _ method: any AdapterMethod, deviation: Double)
        throws
    {
        let bert = try Bert.tiny()
        let set = try AdapterSet(
            method, targets: .names(["query", "value"]), of: bert.slots,
            savedParameters: bert.parameters.filter { $0.name.hasPrefix("classifier.") },
            using: Generator(seed: 1))
        for (index, parameter) in set.parameters.enumerated() {
            try parameter.value.copy(
                from: .seeded(parameter.value.shape, seed: UInt64(index), deviation: deviation))
        }
        try FileManager.default.createDirectory(
            at: place.output("adapter"), withIntermediateDirectories: true)
        try AdapterFolder.write(set, baseModel: "model", to: place.output("adapter"))
    }

    private func merge(_ place: Workplace) -> MergeRun {
        MergeRun(
            model: place.model, adapter: place.output("adapter"), output: place.output("merged"))
    }

    private func load(_ place: Workplace, adapted: Bool) throws -> any TransformerModel {
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        options.weights = .stored
        return try AdaptedModel.load(
            model: adapted ? place.model : place.output("merged"),
            adapter: adapted ? place.output("adapter") : nil, options: options
        ).model
    }

    @Test(
        "A merged model says what the adapted one does, in its own type",
        arguments: [(DType.float32, 1e-5), (.bfloat16, 5e-2), (.float16, 1e-2)])
    func merging(_ dtype: DType, _ tolerance: Double) throws {
        let place = try Workplace(dtype: dtype)
        for method in [LoRA(rank: 2), DualLoRA(magnitudeRank: 2, directionRank: 3)]
            as [any AdapterMethod]
        {
            try writeAdapter(place, method, deviation: 0.3)
            var run = merge(place)
            run.overwrite = true
            let result = try run.run()
            let difference = try #require(result.difference)
            #expect(difference.found <= difference.allowed)
            let merged = try load(place, adapted: false)
            let batch = try TokenBatch.seeded(lengths: [6, 9])
            let (before, after) = (
                try load(place, adapted: true).logits(batch), try merged.logits(batch)
            )
            #expect(try after.isClose(to: before, absolute: tolerance * 10))
            #expect(merged.linears[0].weight.stored.numberType == dtype)
            let files = try FileManager.default.contentsOfDirectory(
                atPath: place.output("merged").path)
            #expect(
                files.sorted() == [
                    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                    "vocab.txt",
                ])
        }
    }

    @Test(
        "A merge says what its type loses of the change, and warns above a tenth",
        arguments: [
            (DType.bfloat16, DType?.none, 5e-3, 0.1...1), (.bfloat16, .float32, 5e-3, 0...1e-4),
            (.bfloat16, nil, 0.3, 1e-4...0.1), (.float16, nil, 5e-3, 0.1...1),
            (.float32, nil, 5e-3, 0...1e-3), (.float32, .bfloat16, 5e-3, 0.1...100),
        ] as [(DType, DType?, Double, ClosedRange<Double>)])
    func roundingLoss(
        stored: DType, dtype: DType?, deviation: Double, expected: ClosedRange<Double>
    ) throws {
        let place = try Workplace(dtype: stored)
        try writeAdapter(place, LoRA(rank: 2), deviation: deviation)
        var run = merge(place)
        run.dtype = dtype
        let result = try run.run()
        #expect(result.typeName == (dtype ?? stored).rawValue)
        #expect(expected.contains(result.lostShare), "\(result.lostShare)")
        #expect((result.warning != nil) == (result.lostShare > 0.1))
        let (base, merged) = (
            try load(place, adapted: true), try load(place, adapted: false).linears
        )
        var (lost, change) = (0.0, 0.0)
        for (layer, merged) in zip(base.linears, merged) {
            let type =
                layer.adapter == nil && dtype == nil ? stored : DType(rawValue: result.typeName)
            #expect(merged.weight.stored.numberType == type)
            guard let adapter = try layer.weightChange else { continue }
            let update = try adapter.weightUpdate(for: layer).to(.float64)
            let sum = try layer.weight.value.to(.float64) + update
            lost += try (merged.weight.value.to(.float64) - sum).squared().sum().item()
            change += try update.squared().sum().item()
        }
        #expect(abs(result.lostShare - (lost / change).squareRoot()) < 1e-6)
        #expect(result.losses.count == 4)
        #expect(result.worst?.share == result.losses.map(\.share).max())
    }

    @Test("A merged model that overflows its type is refused, and nothing is written")
    func overflow() throws {
        let place = try Workplace(dtype: .float16)
        try writeAdapter(place, LoRA(rank: 2), deviation: 300)
        let error = #expect(throws: MergeError.self) { try merge(place).run() }
        guard case .differs? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!place.exists("merged"))
    }

    @Test("A failed merge leaves a folder that was there as it was")
    func folderThatWasThere() throws {
        let place = try Workplace(dtype: .float16)
        try writeAdapter(place, LoRA(rank: 2), deviation: 300)
        try FileManager.default.createDirectory(
            at: place.output("merged"), withIntermediateDirectories: true)
        try place.folder.write("mine", to: "merged/notes.txt")
        var run = merge(place)
        run.overwrite = true
        #expect(throws: MergeError.self) { try run.run() }
        let files = try FileManager.default.contentsOfDirectory(atPath: place.output("merged").path)
        #expect(files == ["notes.txt"])
    }

    @Test("A folder with files in it is refused; overwritten, it keeps those that are no model's")
    func foldersWithFiles() throws {
        let place = try Workplace()
        try writeAdapter(place, LoRA(rank: 2), deviation: 0.3)
        try place.folder.write("mine", to: "merged/notes.txt")
        var run = merge(place)
        let text = message { _ = try run.run() }
        #expect(text.contains("merged has files in it (notes.txt): `overwrite`"), "in: \(text)")
        #expect(text.contains("`output`"))
        #expect(throws: RunError.self) { _ = try run.run() }
        run.overwrite = true
        _ = try run.run()
        try place.folder.write("of another tokenizer", to: "merged/tokenizer.json")
        _ = try run.run()
        let files = try FileManager.default.contentsOfDirectory(atPath: place.output("merged").path)
        #expect(
            files.sorted() == [
                "config.json", "model.safetensors", "notes.txt", "tokenizer.json",
                "tokenizer_config.json", "vocab.txt",
            ])
        #expect(try place.read("merged/notes.txt") == Data("mine".utf8))
    }

    @Test("A merge without a check says so")
    func unverified() throws {
        let place = try Workplace()
        try writeAdapter(place, LoRA(rank: 2), deviation: 0.3)
        var run = merge(place)
        run.verify = false
        let result = try run.run()
        #expect(result.difference == nil)
        #expect(result.tensors == (try load(place, adapted: false)).parameters.count)
    }

    @Test("The model's and the adapter's own folders are refused", arguments: ["model", "adapter"])
    func ownFolder(_ name: String) throws {
        let place = try Workplace()
        try writeAdapter(place, LoRA(rank: 2), deviation: 0.3)
        let before = try FileManager.default.contentsOfDirectory(atPath: place.output(name).path)
            .sorted()
        var run = merge(place)
        run.output = place.output("data/../\(name)")
        let text = message { _ = try run.run() }
        #expect(text.contains("is the \(name)'s own folder"), "in: \(text)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: place.output(name).path).sorted()
                == before)
    }

    @Test("A merge that cannot start leaves no folder")
    func cannotStart() throws {
        let place = try Workplace()
        #expect(throws: AdapterError.self) { try merge(place).run() }
        #expect(!place.exists("merged"))
    }
}
