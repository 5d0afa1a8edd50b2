/// Counts calls, for `shouldStop`.
package final class StopAfter {
    private var left: Int
    package init(_ steps: Int) { left = steps }
    package func callAsFunction() -> Bool {
        left -= 1
        return left == 0
    }
}
