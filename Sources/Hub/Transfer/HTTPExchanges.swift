import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Takes the session's calls to the exchanges that they belong to.
final class HTTPExchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private let lock = NSLock()
    private var open: [Int: HTTPExchange] = [:]

    func begin(_ task: URLSessionTask) -> HTTPExchange {
        let exchange = HTTPExchange()
        lock.withLock { open[task.taskIdentifier] = exchange }
        return exchange
    }

    func end(_ task: URLSessionTask) {
        lock.withLock { open[task.taskIdentifier] = nil }
    }

    private func exchange(_ task: URLSessionTask) -> HTTPExchange? {
        lock.withLock { open[task.taskIdentifier] }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        if let response = response as? HTTPURLResponse { exchange(dataTask)?.received(response) }
        completionHandler(.allow)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        exchange(dataTask)?.received(data)
    }

    /// No redirection is followed here: who asked decides where the access token may go.
    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        exchange(task)?.ended(task.response as? HTTPURLResponse, error)
    }
}
