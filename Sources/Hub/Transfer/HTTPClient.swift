import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Sends one request after another, and waits for each.
final class HTTPClient {
    private let session: URLSession
    private let exchanges = HTTPExchanges()
    private let timeout: TimeInterval

    /// - Parameter timeout: seconds without a byte after which a request is given up.
    init(timeout: TimeInterval) {
        self.timeout = timeout
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        configuration.httpCookieStorage = nil
        configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
        // The session's own clock only stands behind `timeout`, by which the exchange is watched.
        configuration.timeoutIntervalForRequest = timeout + 30
        session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
    }

    deinit { session.invalidateAndCancel() }

    /// Sends a request, follows no redirection, and returns the head of the answer.
    /// - Parameter body: gets the answer's body piece by piece, on the caller's thread.
    /// - Throws: ``HTTPFailure``, and what `body` throws.
    func send(
        _ request: URLRequest, body: (HTTPURLResponse, Data) throws -> Void
    ) throws -> HTTPURLResponse {
        let task = session.dataTask(with: request)
        let exchange = exchanges.begin(task)
        defer { exchanges.end(task) }
        task.resume()
        var isOver = false
        defer { if !isOver { task.cancel() } }
        while true {
            switch exchange.next(within: timeout) {
            case .body(let response, let pieces):
                for piece in pieces { try body(response, piece) }
            case .ended(let response, let error):
                isOver = true
                if let error { throw HTTPFailure(error) }
                guard let response else { throw HTTPFailure.broken("the connection was closed") }
                return response
            case .silence(hadHead: true): throw HTTPFailure.stalled(seconds: Int(timeout))
            case .silence(hadHead: false):
                throw HTTPFailure.unreachable("no answer came for \(Int(timeout)) s")
            }
        }
    }
}

extension HTTPURLResponse {
    func header(_ name: String) -> String? {
        value(forHTTPHeaderField: name)?.trimmingCharacters(in: .whitespaces)
    }

    /// Where the answer sends the request instead, if it does.
    var redirection: String? {
        [301, 302, 303, 307, 308].contains(statusCode) ? header("Location") : nil
    }
}
