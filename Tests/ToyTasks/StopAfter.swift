import DualRuns

/// Asks a run to stop after so many steps, each of which is logged.
package final class StopAfter {
    private var left: Int
    package init(_ steps: Int) { left = steps }

    /// For `report`.
    package func hear(_ event: FineTuningRun.Event) {
        if case .training(.step) = event { left -= 1 }
    }

    /// For `shouldStop`.
    package func callAsFunction() -> Bool { left == 0 }
}
