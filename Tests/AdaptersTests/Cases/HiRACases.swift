@testable import DualAdapters

extension AdapterCase {
    static let hira: [AdapterCase] = [
        hira("hira", HiRA(rank: 4)) { 4 * ($0 + $1) },
        hira("hira with dropout", HiRA(rank: 4, dropout: 0.4), drops: true) { 4 * ($0 + $1) },
        hira("hira, a rank for the layer", patterned) { 3 * ($0 + $1) },
    ]

    private static func hira(
        _ description: String, _ method: HiRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // The update has the base as a factor, and so a part of its gradient.
        AdapterCase(
            testDescription: description, method: method, count: count, drops: drops,
            silentAtStart: ["hira_A"], leavesBaseGradient: false)
    }

    private static var patterned: HiRA {
        var method = HiRA(rank: 9)
        method.ranks = LayerPattern([("key", 2), ("query", 3)])
        method.start = .gaussian
        return method
    }
}
