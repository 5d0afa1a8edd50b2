import DualCharts
import DualTraining
import Foundation

/// A run as a picture: its losses by step on the left, the task's metric by step on the right.
package enum LossCurve {
    /// One run in the picture.
    package struct Run: Sendable {
        package let name: String
        package let steps: [StepRecord]
        package let evaluations: [EvaluationRecord]

        package init(name: String, steps: [StepRecord], evaluations: [EvaluationRecord]) {
            self.name = name
            self.steps = steps
            self.evaluations = evaluations
        }
    }

    /// - Parameters:
    ///   - data: what the title calls the data.
    ///   - metric: a key of the evaluations' metrics.
    /// - Returns: an SVG file.
    package static func svg(of runs: [Run], data: String, metric: String) -> Data {
        let loss = LineChart(
            title: "\(data): loss", xLabel: "step", yLabel: "loss", xCounts: true,
            series: runs.flatMap(\.losses))
        let score = LineChart(
            title: "\(data): \(metric) on dev", xLabel: "step", yLabel: metric, xCounts: true,
            // It is the exponential of a loss.
            yScale: metric == "perplexity" ? .logarithmic : .linear,
            series: runs.map { run in
                LineChart.Series(
                    run.name, run.scores { $0.metrics[metric] ?? nil }, style: .markedLine)
            })
        return Data(PanelChart([loss, score]).svg().utf8)
    }

    /// The names of files or folders as a title has room for them, and of the task that reads them.
    package static func title(of data: [URL], task: String) -> String {
        let names = data.map(\.standardizedFileURL.lastPathComponent).joined(separator: ", ")
        let cut = names.count > longestName ? names.prefix(longestName - 1) + "…" : names[...]
        return "\(cut) (\(task))"
    }

    private static let longestName = 30
}

extension LossCurve.Run {
    /// The loss of training and that on dev.
    fileprivate var losses: [LineChart.Series] {
        let training = LineChart.Series.smoothed(
            "\(name), training", steps.map { (Double($0.step), $0.loss) }, colorName: name)
        let dev = scores(\.evaluationLoss)
        guard dev.contains(where: \.y.isFinite) else { return training }
        return training + [
            LineChart.Series("\(name), dev", dev, style: .dashedLine, colorName: name)
        ]
    }

    /// What a run ends with may be of a step behind the last.
    fileprivate func scores(
        _ score: (EvaluationRecord) -> Double?
    ) -> [(x: Double, y: Double)] {
        evaluations.sorted { $0.step < $1.step }.map { (Double($0.step), score($0) ?? .nan) }
    }
}
