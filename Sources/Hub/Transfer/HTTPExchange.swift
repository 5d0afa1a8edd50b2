import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What comes of one request, handed from the session's thread to the one that waits for it.
final class HTTPExchange: @unchecked Sendable {
    /// What has come since the last time.
    enum News {
        case body(HTTPURLResponse, [Data])
        case ended(HTTPURLResponse?, (any Error)?)
        /// Nothing, for as long as was waited.
        case silence(hadHead: Bool)
    }

    // All that follows is touched with the lock held alone.
    private let condition = NSCondition()
    private var response: HTTPURLResponse?
    private var pieces: [Data] = []
    private var isOver = false
    private var error: (any Error)?

    func received(_ response: HTTPURLResponse) { change { self.response = response } }

    func received(_ data: Data) { change { pieces.append(data) } }

    func ended(_ response: HTTPURLResponse?, _ error: (any Error)?) {
        change {
            self.response = self.response ?? response
            self.error = error
            isOver = true
        }
    }

    private func change(_ body: () -> Void) {
        condition.lock()
        body()
        condition.signal()
        condition.unlock()
    }

    /// Waits for the next news; the head alone is none.
    func next(within seconds: TimeInterval) -> News {
        condition.lock()
        defer { condition.unlock() }
        var hadHead = response != nil
        var deadline = Date(timeIntervalSinceNow: seconds)
        while !isOver, pieces.isEmpty || response == nil {
            let wasInTime = condition.wait(until: deadline)
            if !wasInTime, !isOver, pieces.isEmpty { return .silence(hadHead: hadHead) }
            if !hadHead, response != nil {
                hadHead = true
                deadline = Date(timeIntervalSinceNow: seconds)
            }
        }
        if let response, !pieces.isEmpty {
            defer { pieces = [] }
            return .body(response, pieces)
        }
        return .ended(response, error)
    }
}
