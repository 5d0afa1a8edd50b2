@testable import DualAdapters

extension AdapterCase {
    static let mora: [AdapterCase] =
        SquareFolding.Kind.allCases.flatMap { kind in
            [
                mora(kind, rank: 2, side: kind == .rotated ? 4 : 5),
                mora(kind, rank: 4, side: kind == .rotated ? 6 : 7),
            ]
        } + [mora(.chunks, rank: 4, side: 7, dropout: 0.4)]

    private static func mora(
        _ kind: SquareFolding.Kind, rank: Int, side: Int, dropout: Double = 0
    ) -> AdapterCase {
        var method = MoRA(rank: rank, dropout: dropout)
        method.kind = kind
        return AdapterCase(
            testDescription: "mora of type \(kind.rawValue), rank \(rank), dropout \(dropout)",
            method: method, count: { _, _ in side * side }, startsAtRandom: false,
            drops: dropout > 0)
    }
}
