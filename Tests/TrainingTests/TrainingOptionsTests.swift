import Foundation
import Testing

@testable import DualTraining

/// The table of training options beside the options themselves.
@Suite struct TrainingOptionsTests {
    @Test("Every option has a row: what has none could make --resume continue another run")
    func rows() {
        // Adam's two decays are one property and two rows.
        let properties = Mirror(reflecting: TrainingOptions()).children.count
        #expect(TrainingOptions.settings.count == properties + 1)
        #expect(Set(TrainingOptions.settings.map(\.name)).count == TrainingOptions.settings.count)
    }

    @Test(
        "What is written is read again, what is left out has its default, a strange name is refused"
    )
    func coding() throws {
        var options = TrainingOptions()
        (options.steps, options.gradientLimit, options.adamBetas) = (12, nil, (0.5, 0.75))
        (options.schedule, options.shuffles, options.seed) = (.cosine, false, .max)
        let data = try JSONEncoder().encode(options)
        let read = try JSONDecoder().decode(TrainingOptions.self, from: data)
        for setting in TrainingOptions.settings {
            #expect(setting.text(read) == setting.text(options), "\(setting.name)")
        }
        let few = try JSONDecoder().decode(TrainingOptions.self, from: Data(#"{"epochs": 9}"#.utf8))
        #expect(few.epochs == 9 && few.gradientLimit == 1 && few.steps == nil)
        let error = #expect(throws: TrainingError.self) {
            try JSONDecoder().decode(TrainingOptions.self, from: Data(#"{"epoch": 9}"#.utf8))
        }
        #expect(error == .badOption(name: "epoch", reason: "there is no such option"))
    }

    @Test("The identity has what decides the run's end, and dev scores where the run ends by them")
    func identity() {
        var options = TrainingOptions()
        let plain = options.identity
        #expect(plain["learning-rate"] == nil && plain["weight-decay"] == "0.01")
        (options.loggingSteps, options.checkpointSteps) = (1, 5)
        (options.evaluationSteps, options.activationCheckpointing) = (3, true)
        #expect(options.identity == plain)
        options.patience = 2
        #expect(options.identity["evaluation-steps"] == "3" && options.identity["patience"] == "2")
    }
}
