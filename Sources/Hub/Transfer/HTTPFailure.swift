import Foundation

/// A request without an answer, or with half of one.
enum HTTPFailure: Error, Equatable {
    /// There is no way to the host, or nobody listens there.
    case unreachable(String)
    /// The host cannot prove who it is.
    case untrusted(String)
    case broken(String)
    case stalled(seconds: Int)

    init(_ error: any Error) {
        let reason = error.localizedDescription
        switch (error as? URLError)?.code {
        case .cannotFindHost?, .dnsLookupFailed?: self = .unreachable("there is no such host")
        case .cannotConnectToHost?: self = .unreachable("nobody answers there")
        case .notConnectedToInternet?: self = .unreachable("there is no network")
        case .secureConnectionFailed?, .serverCertificateUntrusted?,
            .serverCertificateHasBadDate?, .serverCertificateHasUnknownRoot?,
            .serverCertificateNotYetValid?:
            self = .untrusted(reason)
        // FoundationNetworking has no code for what libcurl finds wrong with a certificate.
        case .unknown? where reason.contains("certificate"): self = .untrusted(reason)
        case .timedOut?: self = .broken("it timed out")
        case .networkConnectionLost?: self = .broken("the connection was lost")
        default: self = .broken(reason)
        }
    }

    var reason: String {
        switch self {
        case .unreachable(let reason): reason
        case .untrusted(let reason): "the connection is not secure (\(reason))"
        case .broken(let reason): reason
        case .stalled(let seconds): "nothing came for \(seconds) s"
        }
    }
}
