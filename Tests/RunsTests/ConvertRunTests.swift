import DualModels
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualAdapters
@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

@Suite struct ConvertRunTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private func writeAdapter(_ method: any AdapterMethod) throws {
        let bert = try Bert.tiny()
        let set = try AdapterSet(
            method, targets: .names(["query", "output.dense"]), of: bert.slots,
            savedParameters: bert.parameters.filter { $0.name.hasPrefix("classifier.") },
            using: Generator(seed: 1))
        for (index, parameter) in set.parameters.enumerated() {
            _ = try parameter.value.copy(
                from: .seeded(parameter.value.shape, seed: UInt64(index), deviation: 0.3))
        }
        for saved in set.savedParameters { try saved.value.multiply(by: 3) }
        try FileManager.default.createDirectory(
            at: place.output("adapter"), withIntermediateDirectories: true)
        try AdapterFolder.write(set, baseModel: "the base", to: place.output("adapter"))
    }

    private func convert(rank: Int, to name: String = "lora") throws -> ConvertRun.Result {
        try ConvertRun(
            model: place.model, adapter: place.output("adapter"), output: place.output(name),
            rank: rank
        ).run()
    }

    private func logits(_ adapter: String) throws -> Tensor {
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        let loaded = try AdaptedModel.load(
            model: place.model, adapter: place.output(adapter), options: options)
        return try withoutGradient { try loaded.model.logits(.seeded(lengths: [6, 4])) }
    }

    @Test("A rank as high as the layer's loses nothing, whatever the method", arguments: [12, 40])
    func whole(_ rank: Int) throws {
        try writeAdapter(DualLoRA(magnitudeRank: 2, directionRank: 2))
        let result = try convert(rank: rank)
        #expect(result.lostShare < 1e-5 && result.lostOutputShare < 1e-4)
        #expect(try logits("lora").isClose(to: logits("adapter"), absolute: 1e-4))
    }

    @Test("LoRA of a rank becomes itself, and its head comes along")
    func ofItself() throws {
        try writeAdapter(LoRA(rank: 3))
        let result = try convert(rank: 3)
        #expect(result.lostShare < 1e-5)
        #expect(try logits("lora").isClose(to: logits("adapter"), absolute: 1e-4))
        let folder = try AdapterFolder(place.output("lora"))
        #expect(folder.labels(ofHead: "classifier") == 2 && folder.baseModel == "the base")
        #expect((folder.method as? LoRA)?.rank == 3)
    }

    @Test(
        "Biases come along, and what was written is read again", arguments: TrainedBiases.allCases)
    func biases(_ trained: TrainedBiases) throws {
        for hasBias in [false, true] {
            var lora = LoRA(rank: 3)
            (lora.trainedBiases, lora.hasBias) = (trained, hasBias)
            try writeAdapter(lora)
            let name = "lora\(hasBias)"
            #expect(try convert(rank: 3, to: name).lostOutputShare < 1e-4)
            #expect(try logits(name).isClose(to: logits("adapter"), absolute: 1e-4))
            let method = try #require(AdapterFolder(place.output(name)).method as? LoRA)
            #expect(method.hasBias == hasBias && method.trainedBiases == trained)
        }
        try writeAdapter(
            { () -> VeRA in
                var vera = VeRA(rank: 3)
                vera.trainedBiases = trained
                return vera
            }())
        _ = try convert(rank: 3, to: "vera")
        #expect(try logits("vera").isClose(to: logits("adapter"), absolute: 1e-4))
    }

    @Test("A rank that is none is refused")
    func badRank() throws {
        let bert = try Bert.tiny()
        let set = try AdapterSet(LoRA(rank: 2), of: bert.slots, using: Generator(seed: 1))
        for rank in [-1, 0, 65_537] {
            let text = message { _ = try LowRankConversion(of: set, rank: rank) }
            #expect(text == "`rank` for lora: \(rank) is not from 1 to 65536")
        }
    }

    @Test("A lower rank loses more, by what is told")
    func lower() throws {
        try writeAdapter(DualLoRA(magnitudeRank: 2, directionRank: 2))
        let losses = try [8, 4, 1].map { try convert(rank: $0, to: "lora\($0)").lostShare }
        #expect(losses[0] > 1e-3)
        #expect(losses[0] < losses[1] && losses[1] < losses[2] && losses[2] < 1)
    }

    @Test("A folder with files in it is refused; overwritten, it keeps those that are no adapter's")
    func foldersWithFiles() throws {
        try writeAdapter(LoRA(rank: 3))
        _ = try convert(rank: 3)
        let before = try place.read("lora/adapter_model.safetensors")
        try place.folder.write("mine", to: "lora/notes.txt")
        let text = message { _ = try convert(rank: 1) }
        #expect(text.contains("has files in it (adapter_config.json, adapter_model"), "in: \(text)")
        #expect(try place.read("lora/adapter_model.safetensors") == before)
        var run = ConvertRun(
            model: place.model, adapter: place.output("adapter"), output: place.output("lora"),
            rank: 1)
        run.overwrite = true
        _ = try run.run()
        #expect(try place.read("lora/adapter_model.safetensors") != before)
        let files = try FileManager.default.contentsOfDirectory(atPath: place.output("lora").path)
        #expect(
            files.sorted() == ["adapter_config.json", "adapter_model.safetensors", "notes.txt"])
    }

    @Test("What makes no sense is refused, and nothing is written")
    func refused() throws {
        try writeAdapter(LoRA(rank: 3))
        let text = message { _ = try convert(rank: 0) }
        #expect(text == "`rank`: 0 is not from 1 to 65536")
        #expect(message { _ = try convert(rank: 2, to: "adapter") }.contains("own folder"))
        #expect(!place.exists("lora"))
    }
}
