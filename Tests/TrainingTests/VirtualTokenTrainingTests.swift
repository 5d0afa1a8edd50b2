import DualAdapters
import DualModels
import DualModules
import DualTorch
import TestSupport
import Testing

@testable import DualTraining

@Suite struct VirtualTokenTrainingTests {
    private static let methods: [any AdapterMethod] = [
        PrefixTuning(virtualTokens: 3), PrefixTuning(virtualTokens: 3, projects: true),
        PromptTuning(virtualTokens: 3), PTuning(virtualTokens: 3),
        PTuning(virtualTokens: 3, encoder: .recurrence, dropout: 0.1),
    ]

    @Test("A training step leaks no tensor, however rows are laid and whether blocks run again")
    func leaks() async {
        await #expect(processExitsWith: .success) {
            for method in Self.methods {
                for (isPacked, recomputes) in [(false, false), (true, false), (true, true)] {
                    let generator = try Generator(seed: 1)
                    let trainee = try Trainee(
                        TinyDecoder.gpt2(dropout: 0.1).make(), method: method, targets: nil,
                        using: generator)
                    var options = TrainingOptions()
                    (options.epochs, options.batchSize, options.loggingSteps) = (6, 3, 1)
                    options.activationCheckpointing = recomputes
                    let sequences = try [7, 2, 5].map {
                        try seededIntegers($0, in: 0..<40, seed: 1)
                    }
                    let set = CompletionSet(
                        sequences, rowLength: 24,
                        layout: SequenceLayout(isPacked: isPacked, paddingID: 0))
                    let trainer = try Trainer(
                        trainee, on: set, scorer: nil, options: options, using: generator)
                    var live: [Int] = []
                    try trainer.run { event in
                        if case .step = event { live.append(TorchRuntime.liveTensors) }
                    }
                    #expect(live.count == 6)
                    #expect(Set(live.dropFirst()).count == 1, "\(live)")
                }
            }
        }
    }

    @Test("A method that changes no linear layer refuses targets", arguments: methods.indices)
    func targets(_ index: Int) throws {
        let method = Self.methods[index]
        let model = try TinyDecoder.gpt2(dropout: 0).make()
        let text = message {
            _ = try Trainee(
                model, method: method, targets: .allLinear, using: Generator(seed: 1))
        }
        #expect(text == "`targets`: \(type(of: method).facts.name) changes no linear layers")
        #expect(model.slots.virtualTokens == 0)
    }
}
