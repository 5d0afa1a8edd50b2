import ArgumentParser
import Foundation
import Testing

@testable import DualCommands
@testable import DualTraining

/// The flags of training beside the table of its options.
@Suite struct TrainingArgumentsTests {
    /// As train has them; a model that is made has no head of its own.
    private struct Arguments: ParsableArguments {
        @OptionGroup var training: TrainingArguments
        @OptionGroup var head: HeadArguments

        var options: TrainingOptions { head.applied(to: training.options) }
    }

    @Test("Every training option has a flag of its name, with the words of its row")
    func flags() throws {
        let help = Arguments.helpMessage(columns: 4000)
        for setting in TrainingOptions.settings {
            #expect(help.contains("--\(setting.name)"), "\(setting.name)")
            #expect(help.contains(OptionSpelling.flags(in: setting.help)), "\(setting.name)")
        }
    }

    @Test("Without flags the options are the library's own")
    func defaults() throws {
        #expect(try Arguments.parse([]).options.identity == TrainingOptions().identity)
    }

    @Test("A flag sets its option and no other")
    func one() throws {
        let given: [String: [String]] = [
            "epochs": ["7"], "steps": ["7"], "batch-size": ["7"], "gradient-accumulation": ["7"],
            "learning-rate": ["0.5"], "head-learning-rate": ["0.5"], "weight-decay": ["0.5"],
            "warmup-ratio": ["0.5"], "warmup-steps": ["7"], "schedule": ["cosine"],
            "adam-beta1": ["0.5"], "adam-beta2": ["0.5"], "adam-epsilon": ["0.5"],
            "gradient-limit": ["0.5"], "max-length": ["7"], "no-shuffle": [],
            "logging-steps": ["7"], "checkpoint-steps": ["7"], "evaluation-steps": ["7"],
            "keep-best": [], "patience": ["7"], "activation-checkpointing": [], "seed": ["7"],
        ]
        #expect(Set(given.keys) == Set(TrainingOptions.settings.map(\.name)))
        for (name, values) in given {
            let options = try Arguments.parse(["--\(name)"] + values).options
            for setting in TrainingOptions.settings {
                let isStandard = setting.text(options) == setting.text(TrainingOptions())
                #expect(isStandard == (setting.name != name), "--\(name) and \(setting.name)")
            }
        }
    }

    @Test("No limit of gradients is spelled 0")
    func noLimit() throws {
        #expect(
            try TrainingArguments.parse(["--gradient-limit", "0"]).options.gradientLimit == nil)
    }
}
