import Foundation
import Testing

@testable import DualRuns
@testable import DualTraining

@Suite struct LossCurveTests {
    /// A run whose losses fall from `first` to 1.
    func run(
        _ name: String, dev: [Double?] = [3, 2], scores: [Double?] = [20, 7.4]
    ) -> LossCurve.Run {
        let steps = (1...20).map { step in
            StepRecord(
                step: step, epoch: 1, loss: 1 + 2 / Double(step), learningRate: 0.1,
                gradientNorm: 1, tokens: step, seconds: 1)
        }
        let evaluations = zip(dev, scores).enumerated().map { index, pair in
            var record = EvaluationRecord(step: index * 20, loss: pair.0 ?? .nan)
            record.metrics = ["perplexity": pair.1, "bleu": 8.8e-16]
            return record
        }
        return LossCurve.Run(name: name, steps: steps, evaluations: evaluations)
    }

    func svg(_ runs: [LossCurve.Run], data: String = "notes", metric: String) -> String {
        String(decoding: LossCurve.svg(of: runs, data: data, metric: metric), as: UTF8.self)
    }

    @Test("The loss on dev stands beside the loss of training, in the run's colour")
    func devLoss() {
        let picture = svg([run("LoRA"), run("DoRA")], metric: "perplexity")
        for name in ["LoRA, training", "LoRA, dev", "DoRA, training", "DoRA, dev", "notes: loss"] {
            #expect(picture.contains(">\(name)<"))
        }
        #expect(!svg([run("LoRA", dev: [nil, nil])], metric: "bleu").contains("LoRA, dev"))
    }

    @Test("Perplexity stands on a logarithmic axis, and a BLEU of no match at 0")
    func axes() {
        let wide = run("LoRA", scores: [5000, 3])
        #expect(svg([wide], metric: "perplexity").contains(">100<"))
        let bleu = svg([wide], metric: "bleu")
        #expect(bleu.contains(">0.2<") && !bleu.contains("e-16"))
    }

    @Test(
        "The title names the data as they were given, and the task that reads them",
        arguments: [
            (["reviews.tsv"], "reviews.tsv (cola)"), (["data/CoLA/"], "CoLA (cola)"),
            (["a.json", "b.json"], "a.json, b.json (cola)"),
            (
                ["a_file_with_quite_a_long_name_2026.json"],
                "a_file_with_quite_a_long_name… (cola)"
            ),
        ])
    func title(_ paths: [String], _ title: String) {
        #expect(LossCurve.title(of: paths.map { URL(fileURLWithPath: $0) }, task: "cola") == title)
    }
}
