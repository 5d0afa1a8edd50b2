import DualCharts
import DualTraining
import Foundation

/// A run as a picture: the loss by step on the left, the task's metric by step on the right.
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

    /// - Parameter metric: a key of the evaluations' metrics.
    /// - Returns: an SVG file.
    package static func svg(of runs: [Run], title: String, metric: String) -> Data {
        let loss = LineChart(
            title: "\(title): training loss", xLabel: "step", yLabel: "loss",
            series: runs.flatMap { run in
                LineChart.Series.smoothed(
                    run.name, run.steps.map { (Double($0.step), $0.loss) }, weight: 0.6)
            })
        let score = LineChart(
            title: "\(title): \(metric) on dev", xLabel: "step", yLabel: metric,
            series: runs.map { run in
                LineChart.Series(
                    run.name,
                    // What a run ends with may be of a step behind the last.
                    run.evaluations.sorted { $0.step < $1.step }.map {
                        (Double($0.step), ($0.metrics[metric] ?? nil) ?? .nan)
                    }, style: .markedLine)
            })
        return Data(PanelChart([loss, score]).svg().utf8)
    }
}
