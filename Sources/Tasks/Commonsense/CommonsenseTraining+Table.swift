import DualDatasets
import Foundation

extension CommonsenseTraining {
    /// The accuracies in per cent under the columns of the Dual LoRA paper's table 1; nil for one set alone.
    public func table(of metrics: [(name: String, value: Double)]) -> ScoreTable? {
        guard sets.count > 1 else { return nil }
        let names = sets.map(\.name) + [primaryMetric]
        func row(_ label: String, suffix: String) -> [String] {
            [label]
                + names.map { name in
                    let value = metrics.first { $0.name == name + suffix }?.value
                    guard let value, value.isFinite else { return "-" }
                    return String(format: "%.1f", 100 * value)
                }
        }
        let byToken = preset == .likelihood ? [row("a token", suffix: "-normalized")] : []
        return ScoreTable(
            header: [""] + sets.map(\.title) + ["Avg."],
            rows: [row("accuracy, %", suffix: "")] + byToken)
    }
}
