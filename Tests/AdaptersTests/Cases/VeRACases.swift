@testable import DualAdapters

extension AdapterCase {
    static let vera: [AdapterCase] = [
        vera("vera", VeRA(rank: 6)) { d, _ in d + 6 },
        vera("vera of a rank above the sizes", VeRA(rank: 40, initialScale: 0.3)) { d, _ in d + 40
        },
        vera("vera with dropout", VeRA(rank: 6, dropout: 0.4), drops: true) { d, _ in d + 6 },
        vera("vera without its projections", unsaved) { d, _ in d + 6 },
    ]

    private static func vera(
        _ description: String, _ method: VeRA, drops: Bool = false,
        count: @escaping @Sendable (Int, Int) -> Int
    ) -> AdapterCase {
        // b is zero, and with it e's gradient.
        AdapterCase(
            testDescription: description, method: method, count: count, startsAtRandom: false,
            drops: drops, silentAtStart: ["vera_lambda_d"])
    }

    private static var unsaved: VeRA {
        var method = VeRA(rank: 6)
        method.projections.areSaved = false
        method.projections.key = 7
        return method
    }
}
