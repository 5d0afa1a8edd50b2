import Foundation

/// How often, and after how long, what failed is tried again.
struct Patience {
    /// Failures in a row, without a byte between them, after which it is given up.
    var attempts = 5
    /// Seconds before the second attempt; each further pause is twice as long, up to 8 times this.
    var pause: TimeInterval = 1
    /// The most seconds that are waited because the hub asks for it.
    var longestPause: TimeInterval = 60
    private var failures = 0

    /// Something came: the next failure is a first one.
    mutating func reset() { failures = 0 }

    /// Waits before the next attempt.
    /// - Parameter reaches: whether a host that is not reached is tried again too.
    /// - Throws: `error` itself where another attempt is no use; ``HubError`` where there was the last.
    mutating func wait(
        after error: any Error, _ repository: String, _ what: String, endpoint: String,
        again reaches: Bool, report: (HubEvent) throws -> Void
    ) throws {
        let (reason, asked) = try Self.passing(error, repository, endpoint, reaches)
        failures += 1
        guard failures < attempts else {
            throw HubError.failing(repository, what: what, reason: reason)
        }
        if let asked, asked > longestPause {
            throw HubError.failing(
                repository, what: what, reason: "\(reason) and asks to wait for \(Int(asked)) s")
        }
        let seconds = asked ?? pause * Double(1 << min(failures - 1, 3))
        try report(.note("\(repository): \(what): \(reason); trying again"))
        Thread.sleep(forTimeInterval: seconds)
    }

    /// What of an error may go by; others are thrown.
    private static func passing(
        _ error: any Error, _ repository: String, _ endpoint: String, _ reaches: Bool
    ) throws -> (reason: String, pause: TimeInterval?) {
        switch error {
        case let busy as HubBusy: return (busy.reason, busy.pause)
        case HTTPFailure.unreachable(let reason) where !reaches:
            throw HubError.unreachable(repository, endpoint: endpoint, reason: reason)
        case let failure as HTTPFailure:
            if case .untrusted = failure {
                throw HubError.unreachable(repository, endpoint: endpoint, reason: failure.reason)
            }
            return (failure.reason, nil)
        default: throw error
        }
    }
}
