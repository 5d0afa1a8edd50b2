import DualAdapters

extension MethodCase {
    // What cancels at the start is rounded.
    static let corda = [
        MethodCase(method: "corda", startTolerance: 1e-5),
        MethodCase(
            method: "corda", options: ["rank": "2", "corda-method": "kpm"], startTolerance: 1e-5),
    ]
}
