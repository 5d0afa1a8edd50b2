import DualAdapters
import DualModels
import DualTorch
import Foundation
import TestSupport
import Testing
import ToyTasks

@testable import DualRuns
@testable import DualTasks
@testable import DualTraining

/// Runs from folders to a folder.
@Suite struct FineTuningRunTests {
    /// A log without what a clock says.
    private func log(_ data: Data) throws -> [NSDictionary] {
        try data.split(separator: UInt8(ascii: "\n")).map { line in
            var record = try #require(
                try JSONSerialization.jsonObject(with: line) as? [String: Any])
            record["seconds"] = nil
            return record as NSDictionary
        }
    }

    @Test(
        "A run learns the toy task and leaves adapter, log, result and picture",
        arguments: [0, 1, 2])
    func learns(_ kind: Int) throws {
        let methods: [any FineTuningMethod] = [
            LoRA(rank: 4), DualLoRA(magnitudeRank: 2, directionRank: 2, gateSteps: 4),
            FullFineTuning(),
        ]
        let place = try Workplace(examples: 80, dropout: 0)
        let run = place.run(methods[kind], to: "out") {
            $0.targets = kind == 2 ? nil : .allLinear
            $0.options.epochs = 20
            $0.options.headLearningRate = 1e-2
        }
        let result = try run.run { _ in }
        #expect(try #require(result.value) >= 0.9)
        let loss = try #require(result.loss)
        let lossBefore = try #require(result.before?.evaluationLoss)
        #expect(loss < 0.7 * lossBefore)
        let files = try FileManager.default.contentsOfDirectory(atPath: place.output("out").path)
            .sorted()
        let saved =
            kind == 2
            ? [
                "config.json", "loss.svg", "model.safetensors", "result.json", "tokenizer.json",
                "tokenizer_config.json", "train.jsonl", "vocab.txt",
            ]
            : [
                "adapter_config.json", "adapter_model.safetensors", "loss.svg", "result.json",
                "train.jsonl",
            ]
        #expect(files == saved)
        #expect(try place.read("out/loss.svg").prefix(5) == Data("<svg ".utf8))

        // What was saved says what the run said at its end.
        var options = ModelFolder.LoadOptions()
        options.computeType = .float32
        let loaded = try AdaptedModel.load(
            model: kind == 2 ? place.output("out") : place.model,
            adapter: kind == 2 ? nil : place.output("out"), options: options)
        let evaluator = try evaluator(place, loaded.model)
        let evaluation = try evaluator.evaluate(loaded.model)
        #expect(evaluation.value == result.value)
        #expect(abs(evaluation.loss - loss) < 1e-5)
    }

    private func evaluator(_ place: Workplace, _ model: any TransformerModel) throws
        -> SentenceScorer
    {
        let examples = try ToyTask.examples(.dev, in: place.data).map { example in
            let ids = example.text.split(separator: " ").compactMap {
                Workplace.words.firstIndex(of: String($0))
            }
            return EncodedExample(
                ids: [2] + ids + [3], typeIDs: [Int](repeating: 0, count: ids.count + 2),
                label: example.label)
        }
        return SentenceScorer(ToyTask.self, examples, paddingID: 0)
    }

    @Test("Two runs of one seed give the same bytes, another seed others")
    func determinism() throws {
        let place = try Workplace()
        for (name, seed) in [("a", 3), ("b", 3), ("c", 4)] {
            _ = try place.run(to: name) { $0.options.seed = UInt64(seed) }.run { _ in }
        }
        let bytes = try place.read("a/adapter_model.safetensors")
        #expect(try place.read("b/adapter_model.safetensors") == bytes)
        #expect(try place.read("c/adapter_model.safetensors") != bytes)
        #expect(try log(place.read("a/train.jsonl")) == log(place.read("b/train.jsonl")))
    }

    // MARK: - Interrupt and resume

    @Test(
        "A run that was stopped and resumed ends with the bytes of one that was not",
        arguments: [1, 3, 4, 5, 7, 9])
    func resume(_ steps: Int) throws {
        // Five steps an epoch: the fifth is its last.
        let place = try Workplace()
        let methods: [any FineTuningMethod] = [
            LoRA(rank: 2, dropout: 0.2),
            DualLoRA(magnitudeRank: 2, directionRank: 2, dropout: 0.2, gateSteps: 4),
            DualLoRA(
                magnitudeRank: 2, directionRank: 2, variant: DualLoRAVariant(direction: .fixed),
                warmup: .subtractStart),
            // What these began at is in no parameter, only in the checkpoint.
            DeltaLoRA(rank: 2, deltaStart: 4), CorDA(rank: 2, dropout: 0.2),
        ]
        for (index, method) in methods.enumerated() {
            let (whole, parts) = ("whole\(index)", "parts\(index)")
            _ = try place.run(method, to: whole).run { _ in }
            let stop = StopAfter(steps)
            let error = #expect(throws: TrainingError.self) {
                try place.run(method, to: parts).run(shouldStop: { stop() }) { stop.hear($0) }
            }
            #expect(error.map { "\($0)" }?.contains("stopped after step \(steps)") == true)
            #expect(place.exists("\(parts)/checkpoints/step-0000000\(steps)"))
            #expect(!place.exists("\(parts)/adapter_model.safetensors"))
            _ = try place.run(method, to: parts) { $0.resume = true }.run { _ in }
            for name in ["adapter_model.safetensors", "adapter_config.json"] {
                #expect(
                    try place.read("\(parts)/\(name)") == place.read("\(whole)/\(name)"), "\(name)")
            }
            #expect(
                try log(place.read("\(parts)/train.jsonl"))
                    == log(place.read("\(whole)/train.jsonl")))
            #expect(!place.exists("\(parts)/checkpoints"))
        }
    }

    @Test("Full fine-tuning resumes to the same bytes")
    func resumeFull() throws {
        let place = try Workplace()
        _ = try place.run(FullFineTuning(), to: "whole").run { _ in }
        let stop = StopAfter(4)
        #expect(throws: TrainingError.self) {
            try place.run(FullFineTuning(), to: "parts").run(shouldStop: { stop() }) {
                stop.hear($0)
            }
        }
        _ = try place.run(FullFineTuning(), to: "parts") { $0.resume = true }.run { _ in }
        #expect(try place.read("parts/model.safetensors") == place.read("whole/model.safetensors"))
    }

    @Test("Checkpoints come at their steps, and the newest two are kept")
    func checkpoints() throws {
        let place = try Workplace()
        var written: [String] = []
        _ = try place.run(to: "out") { $0.options.checkpointSteps = 3 }.run { event in
            if case .training(.checkpoint(let path)) = event {
                written.append(URL(fileURLWithPath: path).lastPathComponent)
            }
        }
        #expect(written == ["step-00000003", "step-00000006", "step-00000009"])
        let folder = CheckpointFolder(place.output("out/checkpoints"))
        #expect(folder.all.map(\.lastPathComponent) == ["step-00000006", "step-00000009"])
    }

    /// A run that must not continue another's checkpoint.
    static let otherRuns: [(String, @Sendable (inout FineTuningRun) -> Void)] = [
        ("seed", { $0.options.seed = 9 }), ("batch-size", { $0.options.batchSize = 4 }),
        ("learning-rate", { $0.options.learningRate = 1 }),
        ("method", { $0.method = LoRA(rank: 3) }),
        ("weight-decay", { $0.options.weightDecay = 0.5 }),
        ("dtype", { $0.computeType = .bfloat16 }),
        ("steps", { $0.options.steps = 7 }), ("max-length", { $0.options.maximumLength = 5 }),
    ]

    @Test("A checkpoint of another run is refused by the field that differs", arguments: otherRuns)
    func otherRun(_ field: String, _ change: @Sendable (inout FineTuningRun) -> Void) throws {
        let place = try Workplace()
        let stop = StopAfter(2)
        #expect(throws: TrainingError.self) {
            try place.run(to: "out").run(shouldStop: { stop() }) { stop.hear($0) }
        }
        let run = place.run(to: "out") {
            $0.resume = true
            change(&$0)
        }
        let text = message { _ = try run.run { _ in } }
        #expect(text.contains("is of a run with `\(field)` "), "in: \(text)")
        #expect(place.exists("out/checkpoints/step-00000002"))
    }

    @Test(
        "A damaged checkpoint is refused by its file",
        arguments: ["state.json", "state.safetensors"])
    func damagedCheckpoint(_ name: String) throws {
        let place = try Workplace()
        let stop = StopAfter(2)
        #expect(throws: TrainingError.self) {
            try place.run(to: "out").run(shouldStop: { stop() }) { stop.hear($0) }
        }
        let path = "out/checkpoints/step-00000002/\(name)"
        try place.folder.write(try place.read(path).dropLast(9), to: path)
        let text = message { _ = try place.run(to: "out") { $0.resume = true }.run { _ in } }
        #expect(text.contains("step-00000002"), "in: \(text)")
        #expect(place.exists(path))
    }

    // MARK: - Runs that fail

    /// What is wrong with a run before it starts, and words of its error.
    static let failures: [(String, @Sendable (inout FineTuningRun) -> Void)] = [
        ("is not a folder", { $0.base = .model(URL(fileURLWithPath: "/none")) }),
        ("train.tsv", { $0.data = [$0.data[0].appendingPathComponent("none")] }),
        ("`epochs`", { $0.options.epochs = 0 }),
        ("matches no layer", { $0.targets = .names(["nothing"]) }),
        ("no checkpoint to resume", { $0.resume = true }),
        ("cannot be written", { $0.output = $0.data[0].appendingPathComponent("train.tsv") }),
        ("cannot be written", { $0.output = URL(fileURLWithPath: "/proc/none/out") }),
    ]

    @Test("A run that cannot start leaves no folder", arguments: failures)
    func cannotStart(_ words: String, _ change: @Sendable (inout FineTuningRun) -> Void) throws {
        let place = try Workplace()
        let run = place.run(to: "new/out", change)
        let text = message { _ = try run.run { _ in } }
        #expect(text.contains(words), "in: \(text)")
        #expect(!place.exists("new"))
    }

    @Test("A run that the caller ends by an error keeps its folder only with a checkpoint")
    func failingReport() throws {
        let place = try Workplace()
        for (name, checkpointSteps) in [("new", nil), ("kept", 1)] {
            let run = place.run(to: "\(name)/out") { $0.options.checkpointSteps = checkpointSteps }
            #expect(throws: CancellationError.self) {
                try run.run { event in
                    if case .training(.step(let record)) = event, record.step > 1 {
                        throw CancellationError()
                    }
                }
            }
            #expect(place.exists(name) == (checkpointSteps != nil))
        }
    }

    @Test("A loss that is no number names the step and the last checkpoint, and keeps the log")
    func notFinite() throws {
        let place = try Workplace()
        let run = place.run(FullFineTuning(), to: "out") {
            $0.options.learningRate = 1e30
            $0.options.headLearningRate = 1e30
            $0.options.checkpointSteps = 1
            $0.options.warmupRatio = 0
        }
        let error = #expect(throws: TrainingError.self) { try run.run { _ in } }
        guard case .notFinite(let step, let rate, let checkpoint?)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(step > 1)
        #expect(rate > 1e28)
        #expect(checkpoint.hasSuffix("step-0000000\(step - 1)"))
        #expect(place.exists("out/train.jsonl"))
        #expect(!place.exists("out/model.safetensors"))
    }

    // MARK: - What is written

    @Test("result.json has every field, and null for a metric that is not defined")
    func resultFields() throws {
        let place = try Workplace()
        let result = try place.run(to: "out").run { _ in }
        let object = try #require(
            try JSONSerialization.jsonObject(with: place.read("out/result.json")) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "task", "metric", "value", "metrics", "loss", "before", "method", "model", "steps",
                "seconds", "seed", "dtype", "device", "threads", "versions", "trainable_parameters",
                "method_parameters", "total_parameters", "tokens_per_second", "peak_memory_mib",
                "chat_template",
            ])
        #expect(object["task"] as? String == "toy")
        #expect(object["metric"] as? String == "accuracy")
        #expect(object["method"] as? String == "dual-lora")
        #expect(object["steps"] as? Int == 10)
        #expect(object["seed"] as? Int == 3)
        #expect(object["dtype"] as? String == "float32")
        #expect((object["metrics"] as? [String: Any])?["undefined"] is NSNull)
        // Query and value of two layers, 12 x 12, four factors of rank 2; the head has 2 x 12 + 2.
        #expect(object["method_parameters"] as? Int == 4 * 4 * 24)
        #expect(object["trainable_parameters"] as? Int == 4 * 4 * 24 + 26)
        #expect((object["versions"] as? [String: String])?["libtorch"] == TorchRuntime.version)
        let decoded = try JSONDecoder().decode(RunResult.self, from: place.read("out/result.json"))
        #expect(decoded == result)
        #expect(result.peakMemoryMiB > 10)
    }

    @Test("The log has the scores before the first step, every step, and every epoch's scores")
    func log() throws {
        let place = try Workplace()
        var events: [String] = []
        _ = try place.run(to: "out").run { event in
            switch event {
            case .started(_, _, let examples, let steps, let done):
                events.append("started \(examples) \(steps) \(done)")
            case .training(.step(let record)): events.append("step \(record.step)")
            case .training(.evaluated(let record)): events.append("evaluated \(record.step)")
            case .training(.trained): events.append("trained")
            case .training(.scoring(let progress)):
                if progress.done == progress.total { events.append("scored \(progress.total)") }
            case .training(.predicted(let scores)):
                #expect(scores.predictions.count == 16)
            case .training(.checkpoint(let path)): events.append("kept \(path.suffix(1))")
            case .training(.checkpointFailed), .note, .warning: events.append("other")
            }
        }
        let steps = { (range: ClosedRange<Int>) in range.map { "step \($0)" } }
        let expected =
            ["evaluated 0"] + steps(1...5) + ["evaluated 5"] + steps(6...10) + ["evaluated 10"]
        let told = expected.flatMap { line in
            (line.hasPrefix("evaluated") ? ["scored 16"] : []) + [line]
                + (line == "evaluated 5" ? ["kept 5"] : [])
        }
        #expect(events == ["started 40 10 0"] + told + ["trained"])
        let records = try log(place.read("out/train.jsonl"))
        let lines = records.map {
            $0["loss"] == nil ? "evaluated \($0["step"] ?? "")" : "step \($0["step"] ?? "")"
        }
        #expect(lines == expected)
        // Warm-up of 6 % of ten steps is one: the first step's rate is 0.
        #expect(records[1]["learning_rate"] as? Double == 0)
        #expect(records[2]["learning_rate"] as? Double == 0.01)
        #expect(records[5]["epoch"] as? Double == 1)
    }

    @Test("A regression head that is made anew starts at the mean score")
    func regression() throws {
        let place = try Workplace()
        let result = try place.run(LoRA(rank: 2), task: ToyScoreTask.self, to: "out").run { _ in }
        let before = try #require(result.before?.metrics["error"] ?? nil)
        // From 0 it would be more than 3.
        #expect(before < 2)
        #expect(try #require(result.value) < before)
        let loaded = try AdaptedModel.load(
            model: place.model, adapter: place.output("out"), options: ModelFolder.LoadOptions())
        #expect(loaded.model.head?.outputSize == 1)
        #expect(loaded.notes.isEmpty)
    }

    // MARK: - The output folder

    @Test("An output folder takes away what it made, and nothing else")
    func outputFolder() throws {
        let folder = try TemporaryFolder()
        try OutputFolder(folder.file("a/b/c")).removeIfCreated()
        #expect(folder.contents.isEmpty)
        let made = folder.file("here")
        try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
        try folder.write("x", to: "here/file")
        try OutputFolder(made).removeIfCreated()
        try OutputFolder(made.appendingPathComponent("new")).removeIfCreated()
        #expect(try FileManager.default.contentsOfDirectory(atPath: made.path) == ["file"])
    }
}
