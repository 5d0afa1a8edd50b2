@testable import DualAdapters

extension AdapterCase {
    static let corda: [AdapterCase] = [
        corda("corda", CorDA(rank: 4)),
        corda("corda, kpm", CorDA(rank: 4, alpha: 3, mode: .knowledgePreserved)),
        corda("corda with dropout", CorDA(rank: 4, dropout: 0.4), drops: true),
    ]

    private static func corda(
        _ description: String, _ method: CorDA, drops: Bool = false
    ) -> AdapterCase {
        // Its start comes from the data, and what cancels there is rounded.
        AdapterCase(
            testDescription: description, method: method, count: { 4 * ($0 + $1) },
            startTolerance: 1e-5, startsAtRandom: false, drops: drops, readsAsItself: false)
    }
}
